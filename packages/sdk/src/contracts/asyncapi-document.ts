import { InvalidContractError } from '../core/errors.ts'
import { asyncApiMessage, eventHeadersSchema, kafkaBindingVersion, messageName } from './asyncapi-message.ts'
import type { ConsumerContract, Contracts, EventContract, TopicContract } from './contracts.ts'
import { retentionText } from './retention.ts'

export interface AsyncApiOptions {
  readonly title: string
  /** Of the document, such as `1.0.0`. */
  readonly version: string
  readonly description?: string
  /** The brokers, by a name for each. @default none */
  readonly servers?: Readonly<Record<string, AsyncApiServer>>
  /** URL of the schema registry, said with each server; credentials in it are left out. @default none */
  readonly registryUrl?: string
  /** Only what this owner sends and receives: the document of one service. @default everything */
  readonly owner?: string
}

export interface AsyncApiServer {
  /** `host:port`. */
  readonly host: string
  /** @default false */
  readonly tls?: boolean
  readonly description?: string
}

/** An AsyncAPI document, ready for JSON or YAML. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.1.0'
  readonly info: Readonly<Record<string, unknown>>
  readonly servers?: Readonly<Record<string, unknown>>
  readonly channels: Readonly<Record<string, unknown>>
  readonly operations: Readonly<Record<string, unknown>>
  readonly components: Readonly<Record<string, unknown>>
}

/**
 * The contracts as an AsyncAPI document: a channel for each topic, a message for each version of an event with its
 * envelope in Avro, and an operation for each owner that sends and each group that receives. The same contracts always
 * give the same document.
 *
 * @throws InvalidContractError when an owner is asked for that neither owns a topic nor reads one.
 */
export function asyncApiDocument(contracts: Contracts, options: AsyncApiOptions): AsyncApiDocument {
  const { title, version, description, servers = {}, registryUrl, owner } = options
  const { topics, events, consumers } = owner === undefined ? contracts : ofOwner(contracts, owner)
  const newest = new Map(events.map(({ type, version }) => [type, version]))
  const named = Object.entries(servers).map(([name, server]) => [name, serverOf(server, registryUrl)] as const)
  const domains = [...new Set(events.map(({ domain }) => domain))].sort()
  return {
    asyncapi: '3.1.0',
    info: {
      title,
      version,
      ...(description !== undefined && { description }),
      ...(domains.length > 0 && { tags: domains.map((name) => ({ name })) }),
    },
    ...(named.length > 0 && { servers: Object.fromEntries(named) }),
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channelOf(topic, eventsOf(topic, events))])),
    operations: Object.fromEntries([
      ...topics
        .filter((topic) => (owner === undefined || topic.owner === owner) && eventsOf(topic, events).length > 0)
        .map((topic) => sendOperation(topic, eventsOf(topic, events))),
      ...consumers.flatMap((consumer) => receiveOperations(consumer, topics, events)),
    ]),
    components: {
      schemas: { EventHeaders: eventHeadersSchema },
      messages: Object.fromEntries(
        events.map((event) => [messageName(event), asyncApiMessage(event, newest.get(event.type) ?? event.version)]),
      ),
    },
  }
}

/** What one owner publishes and reads, and nothing of the rest. */
function ofOwner({ topics, events, consumers }: Contracts, owner: string): Contracts {
  const own = consumers.filter((consumer) => consumer.owner === owner)
  const read = new Set(own.flatMap((consumer) => consumer.events))
  const kept = events.filter((event) => event.topic.owner === owner || read.has(event.type))
  const keptTopics = topics.filter(
    (topic) => topic.owner === owner || kept.some((event) => event.topic.name === topic.name),
  )
  if (keptTopics.length === 0) {
    const owners = [...new Set([...topics, ...consumers].map((one) => one.owner))].sort()
    throw new InvalidContractError(
      `"${owner}" owns no topic and reads no event; the owners in these contracts are ${owners.join(', ')}`,
    )
  }
  return { topics: keptTopics, events: kept, consumers: own }
}

function eventsOf(topic: TopicContract, events: readonly EventContract[]): EventContract[] {
  return events.filter((event) => event.topic.name === topic.name)
}

function serverOf({ host, tls = false, description }: AsyncApiServer, registryUrl: string | undefined) {
  return {
    host,
    protocol: tls ? 'kafka-secure' : 'kafka',
    ...(description !== undefined && { description }),
    bindings: {
      kafka: {
        ...(registryUrl !== undefined && {
          schemaRegistryUrl: withoutCredentials(registryUrl),
          schemaRegistryVendor: 'confluent',
        }),
        bindingVersion: kafkaBindingVersion,
      },
    },
  }
}

function withoutCredentials(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}

function channelOf(topic: TopicContract, events: readonly EventContract[]) {
  const { name, description, partitions, replicas, cleanup, retentionMs, owner, key, external } = topic
  return {
    address: name,
    description,
    messages: Object.fromEntries(
      events.map((event) => [messageName(event), { $ref: `#/components/messages/${messageName(event)}` }]),
    ),
    bindings: {
      kafka: {
        topic: name,
        partitions,
        ...(replicas !== undefined && { replicas }),
        topicConfiguration: { 'cleanup.policy': cleanup.split(','), 'retention.ms': retentionMs },
        bindingVersion: kafkaBindingVersion,
      },
    },
    'x-owner': owner,
    'x-key': key,
    'x-retention': retentionText(retentionMs),
    ...(external && { 'x-external': true }),
  }
}

function sendOperation(topic: TopicContract, events: readonly EventContract[]) {
  const operation = {
    action: 'send',
    channel: { $ref: `#/channels/${topic.name}` },
    title: `${topic.owner} publishes to ${topic.name}`,
    tags: [{ name: topic.owner }],
    messages: events.map((event) => inChannel(topic, event)),
  }
  return [`${topic.owner}.send.${topic.name}`, operation] as const
}

/** One for each topic that the group reads. */
function receiveOperations(
  { group, owner, events: types }: ConsumerContract,
  topics: readonly TopicContract[],
  events: readonly EventContract[],
) {
  return topics.flatMap((topic) => {
    const read = eventsOf(topic, events).filter((event) => types.includes(event.type))
    if (read.length === 0) return []
    const operation = {
      action: 'receive',
      channel: { $ref: `#/channels/${topic.name}` },
      title: `${owner} reads ${topic.name} as group ${group}`,
      tags: [{ name: owner }],
      bindings: { kafka: { groupId: { type: 'string', enum: [group] }, bindingVersion: kafkaBindingVersion } },
      messages: read.map((event) => inChannel(topic, event)),
    }
    return [[`${group}.receive.${topic.name}`, operation] as const]
  })
}

function inChannel(topic: TopicContract, event: EventContract) {
  return { $ref: `#/channels/${topic.name}/messages/${messageName(event)}` }
}
