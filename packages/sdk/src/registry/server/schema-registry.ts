import { type CompatibilityMode, compatibilityModes } from '../../avro/compatibility-mode.ts'
import { systemClock } from '../../core/clock.ts'
import {
  ClosedError,
  InvalidConfigurationError,
  isEvtError,
  isRetryable,
  RegistryUnavailableError,
} from '../../core/errors.ts'
import { consoleLogger, type Logger } from '../../core/logger.ts'
import { ExchangeClient } from '../exchange-client.ts'
import type { LookupOptions, RegistryClient } from '../registry-client.ts'
import { wordsOf } from '../registry-errors.ts'
import type { RegistryAnswer, RegistryExchange, RegistryRequest } from '../registry-exchange.ts'
import { createMemoryRegistryStore } from './memory-registry-store.ts'
import { RegistryFault } from './registry-fault.ts'
import { answerFor } from './registry-routes.ts'
import type { RegistryStore } from './registry-store.ts'

export interface SchemaRegistryOptions {
  /** Where schemas are kept. Not closed with the registry. @default in memory */
  readonly store?: RegistryStore
  /**
   * The level of compatibility where none was set.
   *
   * @default 'BACKWARD', as Confluent's registry; records that are read for years want 'BACKWARD_TRANSITIVE'
   */
  readonly compatibility?: CompatibilityMode
  /** @default warnings and errors to standard error */
  readonly logger?: Logger
}

/** A schema registry within this process: the part of Confluent's API that Avro needs. */
export interface SchemaRegistry {
  /** Answers one request of the API. Never rejects: what fails is an answer too. */
  handle(request: RegistryRequest): Promise<RegistryAnswer>
  /** A client that reaches this registry without a socket; it behaves like one over HTTP. */
  client(options?: LookupOptions): RegistryClient
}

/**
 * Creates a registry for programs that want Avro without another process: tests, demonstrations, the embedded stack.
 *
 * @example
 * const registry = createSchemaRegistry().client()
 * const { id } = await registry.register('orders-shop.orders.v1.OrderCreatedEnvelope', document)
 *
 * @throws InvalidConfigurationError
 */
export function createSchemaRegistry(options: SchemaRegistryOptions = {}): SchemaRegistry {
  const { store = createMemoryRegistryStore(), compatibility = 'BACKWARD', logger = consoleLogger } = options
  if (!compatibilityModes.includes(compatibility))
    throw new InvalidConfigurationError(
      `compatibility must be one of ${compatibilityModes.join(', ')}, got ${JSON.stringify(compatibility)}`,
    )
  const handle = async (request: RegistryRequest): Promise<RegistryAnswer> => {
    try {
      return await answerFor(request, { store, compatibility })
    } catch (error) {
      return error instanceof RegistryFault ? error.answer : failure(error, request, logger)
    }
  }
  return { handle, client: (clientOptions) => clientOf(handle, clientOptions ?? {}) }
}

/** Nobody is told but the log what went wrong within; a missing migration is said, since only the caller's operator can mend it. */
function failure(error: unknown, { method, path }: RegistryRequest, logger: Logger): RegistryAnswer {
  logger.error({ err: error, method, path: path.join('/') }, 'the schema registry could not answer a request')
  const words = isEvtError(error) ? `Error in the backend data store: ${error.message}` : 'Internal error'
  return isEvtError(error) && isRetryable(error)
    ? { status: 503, body: { error_code: 50301, message: words } }
    : { status: 500, body: { error_code: 50001, message: words } }
}

function clientOf(handle: SchemaRegistry['handle'], options: LookupOptions): RegistryClient {
  const name = 'the schema registry in this process'
  let closed = false
  const exchange: RegistryExchange = {
    place: 'in-process',
    name,
    async exchange(request) {
      if (closed) throw new ClosedError(`the client of ${name} is closed; create another one`)
      // As text and back: what is answered must not be shared with what is stored.
      const answer = await handle(copied(request))
      if (answer.status >= 500) throw new RegistryUnavailableError(`${name} cannot serve: ${wordsOf(answer)}`)
      return copied(answer)
    },
    async close() {
      closed = true
    },
  }
  return new ExchangeClient(exchange, {
    clock: options.clock ?? systemClock,
    logger: options.logger ?? consoleLogger,
    unknownForMs: options.unknownForMs ?? 30_000,
    maxCached: options.maxCached ?? 10_000,
    registerUnknown: options.registerUnknown ?? false,
  })
}

function copied<T>(value: T): T {
  return structuredClone(value)
}
