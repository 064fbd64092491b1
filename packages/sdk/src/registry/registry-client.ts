import type { CompatibilityMode } from '../avro/compatibility-mode.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import { ExchangeClient } from './exchange-client.ts'
import type { RegistryMode, SchemaReference } from './registry-answers.ts'
import { HttpExchange, type RegistryAuth, type RegistryTls } from './registry-http.ts'
import type { SchemaLookup } from './schema-lookup.ts'

/** One version of a subject. */
export interface SubjectVersion {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** `AVRO`, or a type that is only listed. */
  readonly schemaType: string
  /** The JSON document, standing by itself; for other types than `AVRO` the text as it is. */
  readonly document: unknown
  /** What it referred to when it was registered. */
  readonly references: readonly SchemaReference[]
}

export interface SchemaOptions {
  /** Schemas of other subjects whose types the document uses by name. @default none */
  readonly references?: readonly SchemaReference[]
  /** Lets the registry bring the schema into its own normal form first. @default false */
  readonly normalize?: boolean
}

/** Whether the registry would take a schema. */
export interface CompatibilityVerdict {
  readonly compatible: boolean
  /** Why not, in the registry's words. Some registries give none. */
  readonly messages: readonly string[]
}

/**
 * A schema registry that speaks Confluent's API (Confluent, Apicurio, Karapace, Redpanda). Services need only what they look up;
 * tools need the rest. Every call may throw RegistryUnavailableError, and RegistryRefusedError with the registry's number.
 */
export interface RegistryClient extends SchemaLookup {
  /** The registry's address as it may be printed: without credentials. */
  readonly place: string
  /** Names of all subjects, or of those that begin with a prefix; deleted ones only when asked for. */
  subjects(prefix?: string, options?: { readonly deleted?: boolean }): Promise<readonly string[]>
  /** Numbers of a subject's versions, ascending; none when the subject is not there. */
  versions(subject: string, options?: { readonly deleted?: boolean }): Promise<readonly number[]>
  /** One version of a subject; `undefined` when it is not there. */
  version(subject: string, version: number | 'latest'): Promise<SubjectVersion | undefined>
  /**
   * Makes a schema the subject's next version; one that is there already stays as it is. For tools and CI, not for services.
   *
   * @throws RegistryRefusedError 409 when it is incompatible with earlier versions, 42201 when it is no schema.
   * @throws InvalidSchemaError
   */
  register(
    subject: string,
    document: unknown,
    options?: SchemaOptions,
  ): Promise<{ readonly id: number; readonly version: number }>
  /**
   * The version under which a subject has exactly this schema.
   *
   * @throws SchemaNotRegisteredError when it does not have it.
   */
  lookup(subject: string, document: unknown, options?: SchemaOptions): Promise<SubjectVersion>
  /**
   * Whether a schema may follow: one version, or with `all` those that the level in force looks at. A subject that is not there takes any.
   *
   * @param version @default 'latest'
   */
  checkCompatibility(
    subject: string,
    document: unknown,
    version?: number | 'latest' | 'all',
    options?: SchemaOptions,
  ): Promise<CompatibilityVerdict>
  /** The level of compatibility in force for a subject, or for all that have none of their own. */
  compatibilityMode(subject?: string): Promise<CompatibilityMode>
  setCompatibilityMode(mode: CompatibilityMode, subject?: string): Promise<void>
  /** Lets a subject follow the level for all again. */
  clearCompatibilityMode(subject: string): Promise<void>
  /** What may be done with a subject, or with all that have no mode of their own. */
  mode(subject?: string): Promise<RegistryMode>
  /** `force` sets IMPORT although there are subjects already. */
  setMode(mode: RegistryMode, subject?: string, options?: { readonly force?: boolean }): Promise<void>
  /**
   * Hides all versions of a subject; with `permanent` removes what was hidden before, and records written with it can never be
   * read again. Resolves with the numbers of the versions.
   */
  deleteSubject(subject: string, options?: { readonly permanent?: boolean }): Promise<readonly number[]>
  /** The same for one version. */
  deleteVersion(
    subject: string,
    version: number | 'latest',
    options?: { readonly permanent?: boolean },
  ): Promise<number>
  /** The types of schemas that the registry knows, such as `AVRO`; also shows that it is there and is a registry. */
  schemaTypes(): Promise<readonly string[]>
  /** Ends what is under way. Twice is once. */
  close(): Promise<void>
}

/** What a client of any registry can be told, however it reaches it. */
export interface LookupOptions {
  /** How long an id that the registry does not have is not asked for again. Milliseconds. @default 30000 */
  readonly unknownForMs?: number
  /** How many schemas are remembered. @default 10000 */
  readonly maxCached?: number
  /**
   * For development only: `idOf` registers what is not there, and logs a warning each time. In production it would let any service
   * change what its readers must understand, unseen by a review. @default false
   */
  readonly registerUnknown?: boolean
  /** @default the computer's own */
  readonly clock?: Clock
  /** @default warnings and errors to standard error */
  readonly logger?: Logger
}

export interface RegistryClientOptions extends LookupOptions {
  /**
   * The address, with the path under which the API is: `http://localhost:8081`, `http://localhost:8080/apis/ccompat/v7`.
   * Credentials in it are used, and never printed.
   */
  readonly url: string
  readonly auth?: RegistryAuth
  /** For `https`. @default Node's own trust */
  readonly tls?: RegistryTls
  /** The longest that one call may take, its repetitions included. Milliseconds. @default 5000 */
  readonly timeoutMs?: number
  /** How often a call is repeated when the registry cannot be reached or cannot serve; deletions never are. @default 2 */
  readonly retries?: number
  /** The longest answer that is read. @default 16 MiB */
  readonly maxAnswerBytes?: number
  /** @default Math.random */
  readonly random?: () => number
}

/**
 * Creates a client. It connects when it is first asked, and keeps no process alive.
 *
 * @example
 * const registry = createRegistryClient({ url: 'http://localhost:8081' })
 * const { document } = await registry.byId(7)
 * await registry.close()
 *
 * @throws InvalidConfigurationError when the address is none, or the options contradict each other.
 */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const clock = options.clock ?? systemClock
  const exchange = new HttpExchange({
    url: options.url,
    auth: options.auth,
    tls: options.tls,
    timeoutMs: options.timeoutMs ?? 5000,
    retries: options.retries ?? 2,
    maxAnswerBytes: options.maxAnswerBytes ?? 16 * 1024 * 1024,
    clock,
    random: options.random ?? Math.random,
  })
  return new ExchangeClient(exchange, {
    clock,
    logger: options.logger ?? consoleLogger,
    unknownForMs: options.unknownForMs ?? 30_000,
    maxCached: options.maxCached ?? 10_000,
    registerUnknown: options.registerUnknown ?? false,
  })
}
