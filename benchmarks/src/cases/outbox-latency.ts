import { setTimeout as sleep } from 'node:timers/promises'
import { createProducer, headerNames, headerText, type Sender } from '@evtkit/sdk'
import { createRelay, type RelayOptions } from '@evtkit/sdk/outbox'
import type { BenchmarkCase, Sample } from '../case.ts'
import { startMeasuring } from '../cpu.ts'
import { order } from '../order-event.ts'
import { percentile } from '../statistics.ts'
import { emptyTables, insertOrder, OrderPlaced, type OutboxWorld } from './outbox-world.ts'

const perSecond = 50

/** From sending COMMIT to the relay handing the event to its sender, at a steady pace. */
export function outboxLatency(world: OutboxWorld): BenchmarkCase {
  return {
    name: `outbox/latency-${perSecond}-per-second`,
    contenders: [
      // Without the outbox the relay hears of nothing, as when it runs in another process.
      { name: 'relay elsewhere, polling', run: ({ durationMs }) => measureLatency(world, durationMs, {}) },
      {
        name: 'relay in this process, nudged',
        run: ({ durationMs }) => measureLatency(world, durationMs, { outbox: world.outbox }),
      },
    ],
    targets: [
      { contender: 'relay elsewhere, polling', measure: 'p50Ms', atMost: 5 },
      { contender: 'relay in this process, nudged', measure: 'p50Ms', atMost: 5 },
    ],
  }
}

async function measureLatency(
  world: OutboxWorld,
  durationMs: number,
  options: Pick<RelayOptions, 'outbox'>,
): Promise<Sample> {
  await emptyTables(world)
  const committedAt = new Map<string, number>()
  const latencies: number[] = []
  const total = Math.max(1, Math.round((durationMs / 1000) * perSecond))
  let done: () => void
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const sender: Sender = {
    async send(messages) {
      const now = performance.now()
      for (const message of messages) {
        const eventId = headerText(message, headerNames.eventId) ?? ''
        latencies.push(now - (committedAt.get(eventId) ?? Number.NaN))
      }
      if (latencies.length === total) done()
    },
  }
  const relay = createRelay({ sql: world.sql, sender, ...options })
  await relay.start()
  const producer = createProducer({ sender, source: 'benchmark' })
  const measured = startMeasuring()
  const startedAt = performance.now()
  for (let n = 0; n < total; n++) {
    await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()))
    const placed = order(n)
    await world.sql.transaction(async (tx) => {
      await tx.query(insertOrder, [placed.orderId, placed.customerId, placed.totalCents])
      const { eventId } = await producer.through(world.outbox.in(tx)).publish(OrderPlaced, placed)
      committedAt.set(eventId, performance.now())
    })
  }
  await all
  const spent = measured()
  await relay.close()
  const latency = { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
  return { messages: total, ...spent, latency }
}
