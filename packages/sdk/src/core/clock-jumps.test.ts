import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createMemoryBroker } from '../memory/index.ts'
import { type Clock, systemClock } from './clock.ts'
import { createConsumer } from './consumer.ts'
import { DependencyUnavailableError } from './errors.ts'
import { defineEvent } from './event.ts'
import { silentLogger } from './logger.ts'
import { createProducer } from './producer.ts'
import { defineTopic } from './topic.ts'

/** A clock whose time of day jumps by days at every look, and whose monotonic time goes on as ever. */
function jumpingClock(): Clock {
  let looks = 0
  return { ...systemClock, now: () => Date.UTC(2026, 0, 1) + (looks++ % 2 === 0 ? 2 : -2) * 86_400_000 }
}

test('a clock that jumps by days expires no deadline, keeps no retry waiting and ends no outage early or late', async () => {
  const clock = jumpingClock()
  const Counted = defineEvent({
    type: 'Counted',
    topic: defineTopic({ name: 'jumps', partitions: 1 }),
    schema: z.object({ n: z.number() }),
    key: ({ n }) => String(n),
  })
  const broker = createMemoryBroker({ clock, logger: silentLogger })
  await broker.createTopics([Counted.topic])
  const consumer = createConsumer({
    source: broker,
    group: 'counting',
    rejected: ({ error }) => Promise.reject(error),
    deadlineMs: 20_000,
    retry: { initialMs: 5, maxMs: 10 },
    probe: { initialMs: 5, maxMs: 10 },
    clock,
    logger: silentLogger,
  })
  const attempts: number[] = []
  const done: number[] = []
  consumer.on(Counted, async ({ data }, { delivery, signal }) => {
    attempts.push(data.n)
    // Its deadline is looked after meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(signal.aborted).toBe(false)
    if (data.n === 1 && delivery.attempt === 1) throw new Error('the first time it fails')
    if (data.n === 2 && attempts.filter((n) => n === 2).length === 1)
      throw new DependencyUnavailableError('stock', 'the stock service is down')
    done.push(data.n)
  })
  await consumer.start()
  const producer = createProducer({ sender: broker, source: 'test', clock })
  for (const n of [0, 1, 2, 3]) await producer.publish(Counted, { n })
  await vi.waitFor(() => expect(done.toSorted()).toEqual([0, 1, 2, 3]), { timeout: 15_000 })
  await vi.waitFor(() => expect(consumer.health()).toEqual({ ready: true, state: 'running', detail: '' }))
  await consumer.close()
  await broker.close()
})
