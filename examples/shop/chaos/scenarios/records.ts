import { silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { readEvent } from '../checker/read-event.ts'
import type { Conditions } from '../conditions.ts'
import { Dice } from '../dice.ts'
import { groupsOf, liveTopics, readers } from '../readers.ts'
import { defineScenario } from '../scenario.ts'
import { type RawRecord, sendRaw } from '../world/raw-records.ts'
import { consumers } from '../world/world.ts'
import { poisons } from './poison.ts'

export const recordsRepeated = defineScenario({
  name: 'records-repeated',
  faults: ['F25'],
  about: 'records are written once more, to their own and to other partitions, and a group begins at offset 0 again',
  boundMs: 60_000,
  draw: (dice) => ({
    topics: dice.some(liveTopics, 3),
    copies: dice.whole(8, 20),
    rewound: dice.pick(consumers),
    salt: String(dice.whole(0, 1e9)),
  }),
  async run(conditions, { topics, copies, rewound, salt }) {
    const { world, history } = conditions
    const dice = new Dice(salt)
    const strike = await conditions.strike('records repeated', topics.join(' '))
    const records = (await Promise.all(topics.map((topic) => copiesOf(conditions, topic, copies, dice)))).flat()
    const places = await sendRaw(world, records)
    for (const place of places) history.note({ kind: 'injected', what: 'copy', ...place })
    await strike.heal(places.length)

    const program = world.program(rewound)
    const rewind = await conditions.strike('offsets set to 0', rewound)
    await program.end('SIGTERM')
    const rewoundBy = await setOffsetsToZero(conditions, rewound)
    program.start()
    await rewind.heal(rewoundBy)
  },
})

/** Copies of records that every group has finished with: an event must not come for the first time where it does not belong. */
async function copiesOf({ world }: Conditions, topic: string, count: number, dice: Dice): Promise<RawRecord[]> {
  const positions = (await world.gauge.positions(groupsOf(topic))) ?? {}
  const records = await world.kafka.dump(topic)
  const partitions = Object.keys((await world.gauge.ends([topic])) ?? {}).length
  const finished = records.filter(
    ({ partition, offset, value }) =>
      readEvent(value) !== undefined &&
      groupsOf(topic).every((group) => offset < (positions[group]?.[`${topic}/${partition}`] ?? 0)),
  )
  return dice.some(finished, count).map(({ partition, key, value }) => ({
    topic,
    partition: dice.chance(0.5) ? partition : dice.whole(0, partitions - 1),
    key,
    value,
    headers: headersOf(value ?? ''),
  }))
}

/** The headers that the wire format has for an event. */
function headersOf(value: string): Record<string, string> {
  // Safe: only values that were read as events come here, and what is missing is left out.
  const event = JSON.parse(value) as Record<string, string | null>
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  for (const [name, text] of [
    ['event-id', event.eventId],
    ['event-type', event.eventType],
    ['event-version', event.eventVersion],
    ['event-source', event.source],
    ['correlation-id', event.correlationId],
    ['causation-id', event.causationId],
  ] as const)
    if (typeof text === 'string') headers[name] = text
  return headers
}

/** @returns how many records come again */
async function setOffsetsToZero({ world }: Conditions, groupId: string): Promise<number> {
  const before = (await world.gauge.positions([groupId]))?.[groupId] ?? {}
  const kafka = createKafka({ brokers: world.kafka.brokers, logger: silentLogger })
  try {
    for (const topic of Object.keys(readers[groupId] ?? {})) {
      const partitions = await kafka.offsets(topic)
      await kafka.setOffsets(
        groupId,
        topic,
        partitions.map(({ partition, low }) => ({ partition, offset: low })),
      )
    }
  } finally {
    await kafka.close()
  }
  return Object.values(before).reduce((sum, offset) => sum + offset, 0)
}

export const poisonRecords = defineScenario({
  name: 'poison-records',
  faults: ['F26'],
  about:
    'records that are no events, or wrong ones, get onto the topics: exactly these are set aside, by every group that reads them',
  boundMs: 60_000,
  draw: (dice) => ({
    records: poisons.flatMap(({ name }) =>
      dice.some(liveTopics, 2).map((topic) => ({ poison: name, topic, partition: dice.whole(0, 7) })),
    ),
  }),
  async run(conditions, { records }) {
    const { world, history } = conditions
    const strike = await conditions.strike('poison', 'topics')
    const ends = (await world.gauge.ends(liveTopics)) ?? {}
    const partitionsOf = (topic: string) => Object.keys(ends).filter((place) => place.startsWith(`${topic}/`)).length
    let struck = 0
    for (const { poison: name, topic, partition } of records) {
      const poison = poisons.find((each) => each.name === name)
      const groups = poison?.groupsOf(topic) ?? []
      if (poison === undefined || groups.length === 0) continue
      const [place] = await sendRaw(world, [
        { topic, partition: partition % partitionsOf(topic), ...poison.record(topic) },
      ])
      if (place === undefined) continue
      history.note({ kind: 'injected', what: 'poison', poison: name, ...place, groups })
      struck++
    }
    await strike.heal(struck)
  },
})
