/**
 * Teaches one kafkajs client to write its produce requests with our encoder and to read its fetch responses with our
 * decoder. Its own gives every record and every header a zero-filled buffer of 512 bytes, copies each batch six times, and
 * reads every number of a record as a `bigint` wrapped in an object, which is most of what publishing and consuming cost.
 * Everything else (versions, numbering, connections, errors) stays with kafkajs; the bytes written and the fields read are
 * the same to the last one.
 */
import type { Kafka } from 'kafkajs'
import { RecordRefusedError } from '../core/errors.ts'
import { decodeFetchResponse } from './fetch-response-body.ts'
import { withBoundedGzip } from './kafkajs-bounded-gzip.ts'
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
  readonly response: { readonly decode: (bytes: Buffer) => Promise<unknown> }
}

/** What kafkajs copies an encoded request from. */
interface EncodedRequest {
  readonly buf: Buffer
  readonly buffer: Buffer
}

type CreateCluster = (options: unknown) => Cluster

const produceApiKey = 0
const fetchApiKey = 1

/** Leaves a client that looks different inside as it is. */
export function leanProtocol(kafka: Kafka): void {
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
    if (apiKey === produceApiKey) return (body) => leanProduce(protocol(body), body)
    if (apiKey === fetchApiKey) return (body) => leanFetch(boundedFetch(protocol(body)))
    return protocol
  }
  Object.defineProperty(broker, 'lookupRequest', {
    get: () => leanLookUp,
    set: (assigned: LookUpRequest) => {
      lookUp = assigned
    },
  })
  return broker
}

function leanProduce(protocol: Protocol, body: ProduceRequestBody & { readonly compression?: number }): Protocol {
  const { apiVersion } = protocol.request
  // Before version 3 records have another form, and what comes after 7 kafkajs does not know.
  if (apiVersion < 3 || apiVersion > 7 || body.compression) return protocol
  const encode = async (): Promise<EncodedRequest> => {
    try {
      const buffer = encodeProduceRequest(body, Date.now())
      return { buf: buffer, buffer }
    } catch (error) {
      // No broker had a part in it, and none will do better.
      throw new RecordRefusedError(`a record cannot be written: ${String(error)}`, { cause: error })
    }
  }
  return { ...protocol, request: { ...protocol.request, encode } }
}

function boundedFetch(protocol: Protocol): Protocol {
  const { response } = protocol
  const decode = (bytes: Buffer) => withBoundedGzip(() => response.decode(bytes))
  return { ...protocol, response: { ...response, decode } }
}

function leanFetch(protocol: Protocol): Protocol {
  const { request, response } = protocol
  // The one that every broker since Kafka 2.3 agrees on with kafkajs.
  if (request.apiVersion !== 11) return protocol
  const decode = async (bytes: Buffer): Promise<unknown> => decodeFetchResponse(bytes) ?? response.decode(bytes)
  return { ...protocol, response: { ...response, decode } }
}
