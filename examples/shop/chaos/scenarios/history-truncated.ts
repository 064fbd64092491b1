import { silentLogger } from '@evtkit/sdk'
import { createKafka, type KafkaTransport } from '@evtkit/sdk/kafka'
import { readEvent } from '../checker/read-event.ts'
import type { Conditions } from '../conditions.ts'
import { defineScenario } from '../scenario.ts'

const topic = 'cart-events'
const group = 'cart-mirror'
const withinMs = 30_000

export const historyTruncated = defineScenario({
  name: 'history-truncated',
  faults: ['F32'],
  about: 'records are deleted before a group has read them: it says which, and stops there until someone decides',
  boundMs: 60_000,
  draw: (dice) => ({ pick: dice.next() }),
  async run(conditions, { pick }) {
    const { world, history } = conditions
    const mirror = world.program(group)
    await mirror.end('SIGTERM')
    const strike = await conditions.strike('records deleted unread', topic)
    // Only what was told of after the mirror was gone is deleted.
    await conditions.pause(2000)
    const partition = await pickBehind(conditions, pick)
    if (partition === undefined) {
      mirror.start()
      await strike.heal(0)
      return
    }
    const place = `${topic}/${partition}`
    await withAdmin(conditions, async (kafka) => {
      const from = (await world.gauge.positions([group]))?.[group]?.[place] ?? 0
      const to = (await world.gauge.ends([topic]))?.[place]?.high ?? from
      const pieces = (await world.kafka.dump(topic))
        .filter((record) => record.partition === partition && record.offset >= from && record.offset < to)
        .flatMap(({ value }) => pieceOf(value))
      history.note({ kind: 'truncated', topic, partition, from, to, group, pieces })
      await kafka.deleteRecords(topic, partition, BigInt(to))
      mirror.start()
      const told = await conditions.until(withinMs, async () => (await mirror.unreadiness())?.includes(place) === true)
      if (!told)
        conditions.broken(
          `records ${from} to ${to} of ${place} were deleted unread, and the mirror did not say so within ${withinMs} ms`,
        )
      // Long enough for one that skips them to have committed beyond.
      await conditions.pause(2500)
      const position = (await world.gauge.positions([group]))?.[group]?.[place] ?? 0
      if (position !== from)
        conditions.broken(`${place} was to stay at ${from} until someone decides, and was moved to ${position}`)
      // Someone decides: what is gone is gone.
      await mirror.end('SIGTERM')
      await kafka.setOffsets(group, topic, [{ partition, offset: BigInt(to) }])
      mirror.start()
      await strike.heal(to - from)
    })
  },
})

/** A partition of which the mirror has records before it. */
async function pickBehind({ world }: Conditions, pick: number): Promise<number | undefined> {
  const positions = (await world.gauge.positions([group]))?.[group] ?? {}
  const ends = (await world.gauge.ends([topic])) ?? {}
  const behind = Object.entries(ends)
    .filter(([place, { high }]) => high > (positions[place] ?? 0))
    .map(([place]) => Number(place.slice(topic.length + 1)))
    .sort((a, b) => a - b)
  return behind[Math.floor(pick * behind.length)]
}

function pieceOf(value: string | null): { cartId: string; pieces: number }[] {
  if (value === null || readEvent(value) === undefined) return []
  // Safe: a fact of the carts as far as it is read here.
  const { data } = JSON.parse(value) as { data: { cartId: string; lines: { quantity: number }[] } }
  return [{ cartId: data.cartId, pieces: data.lines[0]?.quantity ?? 0 }]
}

async function withAdmin({ world }: Conditions, work: (kafka: KafkaTransport) => Promise<void>): Promise<void> {
  const kafka = createKafka({ brokers: world.kafka.brokers, logger: silentLogger })
  try {
    await work(kafka)
  } finally {
    await kafka.close()
  }
}
