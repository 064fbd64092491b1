import { randomBytes } from 'node:crypto'
import { groupsOf, liveTopics } from '../readers.ts'
import { defineScenario } from '../scenario.ts'
import { sendRaw } from '../world/raw-records.ts'

/** A little below what a broker takes by default with everything around it. Bytes. */
const nearLimit = 1_040_000
/** What a few thousand bytes come to when they are unpacked. */
const unpacked = 8 * 1024 * 1024

const kinds = {
  'as large as the broker takes': () => ({
    value: randomBytes(nearLimit)
      .toString('latin1')
      .slice(0, nearLimit / 2),
  }),
  'packed a thousandfold': () => ({ value: 'a'.repeat(unpacked), gzip: true }),
  'with thousands of headers': () => ({
    value: 'many headers',
    headers: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`header-${index}`, 'x'.repeat(100)])),
  }),
} as const

type Kind = keyof typeof kinds

export const hugeRecords = defineScenario({
  name: 'huge-records',
  faults: ['F28'],
  about: 'records as large as the broker takes, or much larger once they are unpacked, get onto the topics',
  boundMs: 60_000,
  draw: (dice) => ({
    // Safe: the keys of this very table.
    records: (Object.keys(kinds) as Kind[]).map((kind) => ({
      kind,
      topic: dice.pick(liveTopics),
      partition: dice.whole(0, 3),
    })),
  }),
  async run(conditions, { records }) {
    const strike = await conditions.strike('huge records', 'topics')
    for (const { kind, topic, partition } of records) {
      const [place] = await sendRaw(conditions.world, [{ topic, partition, key: 'huge', ...kinds[kind]() }])
      if (place !== undefined)
        conditions.history.note({ kind: 'injected', what: 'poison', poison: kind, ...place, groups: groupsOf(topic) })
    }
    await strike.heal(records.length)
  },
})
