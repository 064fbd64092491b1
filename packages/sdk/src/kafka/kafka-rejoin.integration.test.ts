/** What happens when a joining of the group does not come about. */
import { API_KEYS, type KafkaServer, startKafka } from '@evtkit/local-stack'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { SourceStatus } from '../core/transport.ts'
import { createKafka } from './kafka-transport.ts'

let broker: KafkaServer
beforeAll(async () => {
  broker = await startKafka({ proxy: true, progress: () => {}, settings: { 'group.min.session.timeout.ms': '500' } })
})
afterAll(async () => {
  await broker?.stop()
})

const groupIsRebalancing = 27

test.each([
  ['some of its partitions are fetched', 1],
  ['all of its partitions were paused', Number.POSITIVE_INFINITY],
])(
  'a member whose joining never reached the group, which keeps its place, joins again, and its records are handled: %s',
  async (_what, resting) => {
    const { proxy } = broker
    if (proxy === undefined) throw new Error('the broker was started without its proxy')
    const kafka = createKafka({
      ...{ brokers: broker.proxiedBrokers, logger: silentLogger, requestTimeoutMs: 2000, sessionTimeoutMs: 6000 },
      ...{ heartbeatIntervalMs: 200, fetchMaxWaitMs: 100, commitIntervalMs: 50 },
    })
    try {
      const topic = `rejoin-${resting}`
      await kafka.createTopics([{ name: topic, partitions: 1, retentionMs: -1 }])
      const seen: string[] = []
      const statuses: SourceStatus[] = []
      let rests = 0
      await kafka.subscribe({
        ...{ group: topic, topics: [topic], stallMs: 10_000, onStatus: (status) => statuses.push(status) },
        handle: async ({ deliveries }) => {
          const [first] = deliveries
          if (first === undefined) throw new Error('a batch is never empty')
          // Rests until it is joined anew, which keeps its only partition paused.
          if (++rests === 1 && resting > 1) return { next: first.offset, retryInMs: 600_000 }
          for (const { message } of deliveries) seen.push(String(message.value))
          return { next: first.offset + BigInt(deliveries.length), retryInMs: 0 }
        },
      })
      const send = (value: string) => kafka.send([{ topic, key: null, value: Buffer.from(value), headers: [] }])
      await send('before')
      await vi.waitFor(() => expect(rests).toBeGreaterThan(0), 10_000)

      const refused = proxy.closeOnRequest(API_KEYS.JoinGroup)
      proxy.failResponse(API_KEYS.Heartbeat, groupIsRebalancing)
      await refused.whenFired()
      await send('after')
      await vi.waitFor(() => expect(seen).toEqual(['before', 'after']), 20_000)
      await vi.waitFor(() => expect(statuses.at(-1)?.state).toBe('running'), 10_000)
    } finally {
      proxy.heal()
      await kafka.close(2000)
    }
  },
)
