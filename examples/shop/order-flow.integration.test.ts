import { randomUUID } from 'node:crypto'
import type { Logger, Transport } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres } from '@evtkit/sdk/postgres'
import { createRegistryClient, type RegistryClient, type SchemaLookup } from '@evtkit/sdk/registry'
import pg from 'pg'
import { inject } from 'vitest'
import { allTopics } from './contracts/index.ts'
import { describeOrderFlow, type World } from './order-flow-cases.ts'
import { partNames } from './platform/service.ts'
import { registerShopSchemas } from './platform/shop-schemas.ts'
import { avroWire } from './platform/wire.ts'

describeOrderFlow('the order flow on Kafka, PostgreSQL and a schema registry', createRealWorld)

/**
 * A database for each service on the real server, and the shop's topics, groups and schemas under names of their own on the
 * real broker and registry.
 */
async function createRealWorld(logger: Logger): Promise<World> {
  const run = randomUUID().slice(0, 8)
  const urls = new Map<string, string>()
  for (const part of partNames) urls.set(part, await createDatabase(`shop_${part.replaceAll('-', '_')}_${run}`))
  const connect = () =>
    setApart(createKafka({ brokers: inject('kafkaBrokers').split(','), logger, deliveryTimeoutMs: 15_000 }), `${run}-`)
  const transport = connect()
  const registry = setSubjectsApart(createRegistryClient({ url: inject('registryUrl'), logger }), `${run}-`)
  await registerShopSchemas(registry)
  const sharedLookup: SchemaLookup = {
    byId: (id) => registry.byId(id),
    byGuid: (guid) => registry.byGuid(guid),
    idOf: (subject, document) => registry.idOf(subject, document),
  }
  return {
    format: 'avro',
    transport,
    // One client for all of them, which is closed at the end and not by the first service.
    openWire: () => avroWire(sharedLookup),
    openDatabase(service) {
      return createPostgres({ connectionString: urls.get(service) ?? '', logger, maxConnections: 6 })
    },
    openBroker: connect,
    async close() {
      await transport.deleteTopics(allTopics.map((topic) => topic.name))
      await transport.close()
      await registry.close()
      for (const url of urls.values()) await execute(`drop database ${nameOf(url)} with (force)`)
    },
  }
}

/** The same broker with a prefix before every topic and group, so that no other test of the run meets this shop. */
function setApart(broker: Transport, prefix: string): Transport {
  return {
    send: (messages) => broker.send(messages.map((message) => ({ ...message, topic: prefix + message.topic }))),
    subscribe: (options) =>
      broker.subscribe({
        ...options,
        group: prefix + options.group,
        topics: options.topics.map((topic) => prefix + topic),
      }),
    createTopics: (topics) =>
      broker.createTopics(topics.map((topic) => ({ ...topic, name: prefix + topic.name, partitions: 3 }))),
    deleteTopics: (names) => broker.deleteTopics(names.map((name) => prefix + name)),
    listTopics: () => broker.listTopics(),
    describeTopics: (names) => broker.describeTopics(names.map((name) => prefix + name)),
    growTopic: (name, partitions) => broker.growTopic(prefix + name, partitions),
    configureTopic: (name, changes) => broker.configureTopic(prefix + name, changes),
    offsets: (topic) => broker.offsets(prefix + topic),
    deleteRecords: (topic, partition, before) => broker.deleteRecords(prefix + topic, partition, before),
    listGroups: () => broker.listGroups(),
    members: (group) => broker.members(prefix + group),
    committed: (group, topic) => broker.committed(prefix + group, prefix + topic),
    setOffsets: (group, topic, offsets) => broker.setOffsets(prefix + group, prefix + topic, offsets),
    close: (deadlineMs) => broker.close(deadlineMs),
  }
}

/** The same registry with a prefix before every subject. */
function setSubjectsApart(client: RegistryClient, prefix: string): RegistryClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const subjectAt = subjectPlaces.get(String(name))
        const args = given.map((arg, index) => (index === subjectAt && typeof arg === 'string' ? prefix + arg : arg))
        return Reflect.apply(member, target, args)
      }
    },
  })
}

/** Which argument of a call names a subject. */
const subjectPlaces: ReadonlyMap<string, number> = new Map([
  ['idOf', 0],
  ['versions', 0],
  ['version', 0],
  ['lookup', 0],
  ['register', 0],
  ['checkCompatibility', 0],
  ['compatibilityMode', 0],
  ['setCompatibilityMode', 1],
])

async function createDatabase(name: string): Promise<string> {
  await execute(`create database ${name}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  return url.href
}

const nameOf = (url: string) => new URL(url).pathname.slice(1)

async function execute(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
