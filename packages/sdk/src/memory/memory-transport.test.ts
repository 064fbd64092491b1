import { afterAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import type { ConformanceHarness } from '../testing/conformance/conformance.ts'
import { describeConformance } from '../testing/conformance/describe-conformance.ts'
import { transportConformance } from '../testing/conformance/transport.ts'
import { type FaultyTransport, withFaults } from '../testing/faulty-transport.ts'
import { createMemoryBroker } from './memory-broker.ts'

const broker = createMemoryBroker({ logger: silentLogger, maxBatchRecords: 200 })
const clients: FaultyTransport[] = []
let topics = 0

const harness: ConformanceHarness = {
  abilities: new Set(['lose-responses']),
  sessionMs: 30,
  patienceMs: 4000,
  async open() {
    const client = withFaults(broker.connect())
    clients.push(client)
    return client
  },
  topicName: (hint) => `${hint}-${++topics}`,
  dump: async (topic) =>
    broker.records(topic).map(({ partition, offset, message: { key, value, headers } }) => ({
      partition,
      offset: Number(offset),
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      headerKeys: headers.map(([name]) => name),
    })),
  loseNextProduceResponse() {
    for (const client of clients) client.loseNextResponse()
  },
}

describeConformance({ describe, test }, 'the memory broker is a transport', transportConformance, harness)

afterAll(async () => {
  await broker.close()
  for (const group of await broker.listGroups()) expect(await broker.members(group)).toBe(0)
})
