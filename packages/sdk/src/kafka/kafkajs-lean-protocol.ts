/**
 * Teaches one kafkajs client to write its produce requests with our encoder and to read its fetch responses with our
 * decoder. Its own gives every record and every header a zero-filled buffer of 512 bytes, copies each batch six times, and
 * reads every number of a record as a `bigint` wrapped in an object, which is most of what publishing and consuming cost.
 * Everything else (versions, numbering, connections, errors) stays with kafkajs; the bytes written and the fields read are
 * the same to the last one.
 */
import type { Kafka } from 'kafkajs'
import { RecordRefusedError, UnreadableBatchError } from '../core/errors.ts'
import { unpackBatches } from './compressed-batches.ts'
import type { ProducerIdentity } from './driver.ts'
import { decodeCompressedFetchResponse, decodeFetchResponse } from './fetch-response-body.ts'
import { withBoundedGzip } from './kafkajs-bounded-gzip.ts'
import { decompress, whyUnreadable } from './kafkajs-decompression.ts'
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
const initProducerIdApiKey = 22

export interface LeanProtocolHooks {
  /** Decides about the identity that a producer goes by, when the broker has given one out. */
  identify?(given: ProducerIdentity): ProducerIdentity
  /** The next batch of a partition cannot be unpacked; the answer holds nothing of it. */
  unreadable?(error: UnreadableBatchError): void
}

/** Leaves a client that looks different inside as it is. */
export function leanProtocol(kafka: Kafka, hooks: LeanProtocolHooks = {}): void {
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
      pool.createBroker = (brokerOptions) => leanBroker(createBroker(brokerOptions), hooks)
    return cluster
  }
  Object.defineProperty(kafka, symbol, { ...descriptor, value: replacement })
}

function leanBroker(broker: Broker, hooks: LeanProtocolHooks): Broker {
  let lookUp = broker.lookupRequest
  const leanLookUp: LookUpRequest = (apiKey, definition) => {
    const protocol = lookUp(apiKey, definition)
    if (apiKey === produceApiKey) return (body) => leanProduce(protocol(body), body)
    if (apiKey === fetchApiKey) return (body) => leanFetch(boundedFetch(protocol(body)), hooks)
    const { identify } = hooks
    if (apiKey === initProducerIdApiKey && identify !== undefined)
      return (body) => identifiedProducer(protocol(body), identify)
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

function identifiedProducer(protocol: Protocol, identify: (given: ProducerIdentity) => ProducerIdentity): Protocol {
  const { response } = protocol
  const decode = async (bytes: Buffer): Promise<unknown> => {
    // What kafkajs reads of it, in both versions that it knows.
    const read = (await response.decode(bytes)) as { errorCode: number; producerId: string; producerEpoch: number }
    if (read.errorCode !== 0) return read
    const { id, epoch } = identify({ id: read.producerId, epoch: read.producerEpoch })
    return { ...read, producerId: id, producerEpoch: epoch }
  }
  return { ...protocol, response: { ...response, decode } }
}

function boundedFetch(protocol: Protocol): Protocol {
  const { response } = protocol
  const decode = (bytes: Buffer) => withBoundedGzip(() => response.decode(bytes))
  return { ...protocol, response: { ...response, decode } }
}

function leanFetch(protocol: Protocol, hooks: LeanProtocolHooks): Protocol {
  const { request, response } = protocol
  // The one that every broker since Kafka 2.3 agrees on with kafkajs.
  if (request.apiVersion !== 11) return protocol
  const decode = async (bytes: Buffer): Promise<unknown> =>
    decodeFetchResponse(bytes) ?? (await decodeCompressed(bytes, hooks)) ?? response.decode(bytes)
  return { ...protocol, response: { ...response, decode } }
}

async function decodeCompressed(bytes: Buffer, { unreadable: tell }: LeanProtocolHooks): Promise<unknown> {
  const errors: UnreadableBatchError[] = []
  const decoded = await decodeCompressedFetchResponse(bytes, async (records, place) => {
    const { batches, unreadable } = await unpackBatches(records, decompress)
    // What comes before it is handled first; asked for what comes next, the broker sends it again.
    if (unreadable !== undefined && batches.length === 0) {
      const { offset, codec, cause } = unreadable
      errors.push(new UnreadableBatchError({ ...place, offset, why: whyUnreadable(codec, cause) }, { cause }))
    }
    return batches
  })
  if (decoded !== undefined) for (const error of errors) tell?.(error)
  return decoded
}
