import type { AvroRecord } from '../avro/avro-schema.ts'
import { type CompatibilityMode, checkVersions } from '../avro/compatibility-mode.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { InvalidConfigurationError, isEvtError } from '../core/errors.ts'
import { envelopeRecord, subjectOf } from '../registry/envelope-record.ts'
import type { RegistryClient } from '../registry/registry-client.ts'
import type { Contracts, EventContract } from './contracts.ts'
import { versionsInRegistry } from './earlier-in-registry.ts'
import { severalAtOnce } from './several-at-once.ts'

export interface PushSchemasOptions {
  readonly contracts: Contracts
  readonly registry: PushRegistry
  /** Types of events, or such as `OrderCreated.v1`. @default all */
  readonly events?: readonly string[]
  /** Only says what would be done. @default false */
  readonly dryRun?: boolean
  /** Sets this level for each subject before it is registered; `undefined` leaves what the registry has. */
  readonly compatibility?: CompatibilityMode
}

/** The part of a registry that is used. */
export type PushRegistry = Pick<
  RegistryClient,
  | 'place'
  | 'lookup'
  | 'register'
  | 'checkCompatibility'
  | 'compatibilityMode'
  | 'setCompatibilityMode'
  | 'versions'
  | 'version'
>

/** What became of one event. */
export interface PushedSchema {
  readonly event: string
  readonly version: string
  readonly topic: string
  readonly subject: string
  /** `new`: registered, or would be. `unchanged`: the registry has exactly this. `refused`: it would not take it. `held-back`: others were refused. */
  readonly state: 'new' | 'unchanged' | 'refused' | 'held-back'
  /** The registry's number for the schema; `undefined` for what is not registered. */
  readonly id: number | undefined
  /** The subject's number for it. */
  readonly subjectVersion: number | undefined
  /** Why the registry refuses it, in its words. */
  readonly reasons: readonly string[]
}

export interface PushResult {
  readonly schemas: readonly PushedSchema[]
  /** Whether every schema is registered, or would be. */
  readonly accepted: boolean
  readonly dryRun: boolean
}

/**
 * Registers the envelope of every event under its subject, so that producers and consumers find it. What is there already stays;
 * doing it twice is doing it once. The registry is asked about all of them first, and when it refuses one none is registered.
 * Registering itself is one call each: a registry that goes away in between has the first ones, and pushing again adds the rest.
 *
 * @throws RegistryUnavailableError, RegistryRefusedError
 */
export async function pushSchemas(options: PushSchemasOptions): Promise<PushResult> {
  const { registry, dryRun = false, compatibility } = options
  const planned = await severalAtOnce(chosen(options), (event) => plan(event, registry, compatibility))
  const accepted = planned.every(({ state }) => state !== 'refused')
  if (dryRun) return { schemas: planned.map(withoutDocument), accepted, dryRun }
  if (!accepted)
    return {
      schemas: planned.map((one) => withoutDocument(one.state === 'new' ? { ...one, state: 'held-back' } : one)),
      accepted,
      dryRun,
    }
  const schemas: PushedSchema[] = []
  // One after another, so that ids ascend in the order of the events, the same in every registry.
  for (const one of planned) {
    const isLevelSet = compatibility === undefined || (await setLevel(registry, one.subject, compatibility))
    schemas.push(withoutDocument(one.state === 'new' ? await register(one, registry) : one))
    if (!isLevelSet) await setLevel(registry, one.subject, compatibility)
  }
  return { schemas, accepted, dryRun }
}

interface Planned extends PushedSchema {
  readonly document: unknown
}

function withoutDocument({ document: _, ...rest }: Planned): PushedSchema {
  return rest
}

function chosen({ contracts, events: names = [] }: PushSchemasOptions): readonly EventContract[] {
  const isNamed = (event: EventContract, name: string) =>
    name === event.type || name === `${event.type}.${event.version}`
  for (const name of names)
    if (!contracts.events.some((event) => isNamed(event, name)))
      throw new InvalidConfigurationError(
        `there is no event "${name}" in the contracts. There are ${[...new Set(contracts.events.map(({ type }) => type))].join(', ')}.`,
      )
  return contracts.events.filter((event) => names.length === 0 || names.some((name) => isNamed(event, name)))
}

/** The document under which an event is registered. */
export function subjectAndDocument(event: EventContract): { readonly subject: string; readonly document: unknown } {
  const envelope: AvroRecord = envelopeRecord(event.data)
  return { subject: subjectOf(event.topic.name, envelope), document: printAvroSchema(envelope) }
}

async function plan(
  event: EventContract,
  registry: PushRegistry,
  level: CompatibilityMode | undefined,
): Promise<Planned> {
  const { subject, document } = subjectAndDocument(event)
  const common = { event: event.type, version: event.version, topic: event.topic.name, subject, document }
  const known = await findRegistered(registry, subject, document)
  if (known !== undefined)
    return { ...common, state: 'unchanged', id: known.id, subjectVersion: known.version, reasons: [] }
  const reasons = [...(await refusals(registry, subject, document)), ...(await breaks(event, registry, level))]
  return {
    ...common,
    state: reasons.length === 0 ? 'new' : 'refused',
    id: undefined,
    subjectVersion: undefined,
    reasons,
  }
}

async function refusals(registry: PushRegistry, subject: string, document: unknown): Promise<readonly string[]> {
  const { compatible, messages } = await registry.checkCompatibility(subject, document, 'all')
  if (compatible) return []
  return messages.length === 0 ? ['the registry gives no reason'] : messages
}

/** The registry judges by the level it has; by the one it is about to get, only we can. */
async function breaks(
  event: EventContract,
  registry: PushRegistry,
  level: CompatibilityMode | undefined,
): Promise<readonly string[]> {
  if (level === undefined) return []
  const earlier = await versionsInRegistry(event, registry)
  return checkVersions({ mode: level, next: envelopeRecord(event.data), earlier }).map(({ message }) => message)
}

async function register(one: Planned, registry: PushRegistry): Promise<Planned> {
  const { id, version } = await registry.register(one.subject, one.document)
  return { ...one, id, subjectVersion: version }
}

/** Resolves with false when the subject is not there yet: some registries keep no level for those. */
async function setLevel(registry: PushRegistry, subject: string, mode: CompatibilityMode): Promise<boolean> {
  try {
    if ((await registry.compatibilityMode(subject)) !== mode) await registry.setCompatibilityMode(mode, subject)
    return true
  } catch (error) {
    const isUnknown = isEvtError(error) && 'errorCode' in error && error.errorCode === subjectNotFound
    if (isUnknown) return false
    throw error
  }
}

const subjectNotFound = 40401

/** What a subject has that is exactly this; `undefined` when it has nothing of the kind. */
export async function findRegistered(
  registry: Pick<RegistryClient, 'lookup'>,
  subject: string,
  document: unknown,
): Promise<{ readonly id: number; readonly version: number } | undefined> {
  try {
    return await registry.lookup(subject, document)
  } catch (error) {
    if (isEvtError(error) && error.code === 'EVT_SCHEMA_NOT_REGISTERED') return undefined
    throw error
  }
}
