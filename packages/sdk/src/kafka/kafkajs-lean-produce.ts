/**
 * Teaches one kafkajs client to make its produce requests with our encoder. Its own gives every record and every header a
 * zero-filled buffer of 512 bytes and copies each batch six times, which is most of what publishing costs. Everything
 * else (versions, numbering, connections, answers) stays with kafkajs, and the bytes are the same to the last one.
 */
import type { Kafka } from 'kafkajs'
import { encodeProduceRequest, type ProduceRequestBody } from './produce-request-body.ts'

/** What kafkajs 2.2.4 is inside, as far as it is touched here. */
interface Cluster {
  readonly brokerPool: { createBroker: (options: unknown) => Broker }
}

interface Broker {
  /** Assigned again whenever the broker is connected. */
  lookupRequest: LookUpRequest
}

type LookUpRequest = (apiKey: number, definition: unknown) => (body: never) => Protocol

interface Protocol {
  readonly request: {
    readonly apiVersion: number
    readonly encode: () => Promise<EncodedRequest>
  }
  readonly response: unknown
}

/** What kafkajs copies an encoded request from. */
interface EncodedRequest {
  readonly buf: Buffer
  readonly buffer: Buffer
}

type CreateCluster = (options: unknown) => Cluster

const produceApiKey = 0

/** Leaves a client that looks different inside as it is. */
export function leanProduce(kafka: Kafka): void {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  const descriptor = symbol && Object.getOwnPropertyDescriptor(kafka, symbol)
  if (symbol === undefined || typeof descriptor?.value !== 'function') return
  const createCluster: CreateCluster = descriptor.value
  const replacement: CreateCluster = (options) => {
    const cluster = createCluster(options)
    const pool: Partial<Cluster['brokerPool']> | undefined = cluster.brokerPool
    const createBroker = pool?.createBroker
    if (pool !== undefined && typeof createBroker === 'function')
      pool.createBroker = (brokerOptions) => leanBroker(createBroker(brokerOptions))
    return cluster
  }
  Object.defineProperty(kafka, symbol, { ...descriptor, value: replacement })
}

function leanBroker(broker: Broker): Broker {
  let lookUp = broker.lookupRequest
  const leanLookUp: LookUpRequest = (apiKey, definition) => {
    const protocol = lookUp(apiKey, definition)
    return apiKey === produceApiKey ? (body) => leanProtocol(protocol(body), body) : protocol
  }
  Object.defineProperty(broker, 'lookupRequest', {
    get: () => leanLookUp,
    set: (assigned: LookUpRequest) => {
      lookUp = assigned
    },
  })
  return broker
}

function leanProtocol(protocol: Protocol, body: ProduceRequestBody & { readonly compression?: number }): Protocol {
  const { apiVersion } = protocol.request
  // Before version 3 records have another form, and what comes after 7 kafkajs does not know.
  if (apiVersion < 3 || apiVersion > 7 || body.compression) return protocol
  const encode = async (): Promise<EncodedRequest> => {
    const buffer = encodeProduceRequest(body, Date.now())
    return { buf: buffer, buffer }
  }
  return { ...protocol, request: { ...protocol.request, encode } }
}
