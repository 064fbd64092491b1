import { silentLogger, systemClock } from '@evtkit/sdk'
import { createMemoryBroker } from '@evtkit/sdk/memory'
import type { Sql } from '@evtkit/sdk/postgres'
import { expect, test } from 'vitest'
import { createHttpServer } from '../platform/http-server.ts'
import { readSettings } from '../platform/settings.ts'
import { readShopContracts } from '../platform/shop-schemas.ts'
import { jsonWire } from '../platform/wire.ts'
import { parts } from '../process/parts.ts'

const contracts = await readShopContracts()
const services = Object.values(parts).flatMap((part) => (part.kind === 'service' ? [part] : []))

const nowhere = () => Promise.reject(new Error('nothing is started here'))
const noDatabase: Sql = { query: nowhere, transaction: nowhere, session: nowhere, close: async () => {} }

test('consumers.yaml says of each service what it really handles, and of nobody else', async () => {
  const broker = createMemoryBroker()
  const handled = services.map((service): [string, string[]] => {
    const { handles } = service.create({
      logger: silentLogger,
      clock: systemClock,
      settings: readSettings({}),
      http: createHttpServer(silentLogger),
      fetchFrom: () => nowhere,
      sql: noDatabase,
      sender: broker,
      source: broker,
      codec: jsonWire().codec,
    })
    return [service.name, handles.map((event) => event.type).sort()]
  })
  const declared = contracts.consumers.map(({ group, events }): [string, string[]] => [group, [...events].sort()])
  expect(Object.fromEntries(declared)).toEqual(Object.fromEntries(handled))
  await broker.close()
})

test('topics.yaml says of each topic which service publishes there', () => {
  for (const { name, publishes } of services)
    for (const { type, topic } of publishes)
      expect(
        contracts.topics.find(({ events }) => events.includes(type)),
        `${name} publishes ${type}`,
      ).toMatchObject({ name: topic.name, owner: name })
})
