import { type CompatibilityBreak, type CompatibilityMode, checkVersions } from '../avro/compatibility-mode.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import { envelopeRecord } from '../registry/envelope-record.ts'
import { about, type ContractFinding } from './contract-finding.ts'
import type { ConsumerContract, ContractRemark, Contracts, EventContract } from './contracts.ts'
import { type DataVersion, type DefiningFile, type EarlierContracts, eventKey } from './earlier-contracts.ts'
import { meaningChanges } from './meaning-changes.ts'
import { neverWrittenFileName } from './never-written-file.ts'
import { readersFirst } from './readers-first.ts'
import { typesIn } from './schema-files.ts'

export interface CheckContractsOptions {
  /** As they are to be. */
  readonly contracts: Contracts
  /** As they were. */
  readonly earlier: EarlierContracts
  /**
   * Which data must stay readable, by whom. The default looks back at every version there was, because replay and new consumers
   * read records that are years old: what the last version can read is not enough.
   *
   * @default 'BACKWARD_TRANSITIVE'
   */
  readonly mode?: CompatibilityMode
  /** Types of events, or such as `OrderCreated.v1`. @default all */
  readonly events?: readonly string[]
}

export interface ContractsCheck {
  /** Breaks first, then rules, then warnings; by event, as the contracts list them. */
  readonly findings: readonly ContractFinding[]
  /** Each event that was looked at, and with how many earlier versions. */
  readonly checked: readonly CheckedEvent[]
  readonly mode: CompatibilityMode
  /** What they were compared with. */
  readonly against: string
  readonly notes: readonly string[]
}

export interface CheckedEvent {
  readonly event: string
  readonly version: string
  /** Earlier versions; none for an event that is new. */
  readonly earlier: number
}

/**
 * What changes of the contracts would break: data that could no longer be read, events that are gone, records that would move.
 *
 * @throws InvalidConfigurationError for the name of an event that neither has.
 */
export function checkContracts(options: CheckContractsOptions): ContractsCheck {
  const { contracts, earlier, mode = 'BACKWARD_TRANSITIVE', events: names } = options
  const wanted = wantedEvents(names, contracts, earlier)
  const now = contracts.events.filter(wanted)
  const before = new Map((earlier.events ?? []).filter(wanted).map((event) => [eventKey(event), event]))
  const consumers = [...contracts.consumers, ...earlier.consumers]
  const findings: ContractFinding[] = []
  for (const event of now) {
    const versions = earlier.versions.get(eventKey(event)) ?? []
    const breaks = incompatibilities(event, versions, mode, consumers)
    findings.push(...breaks)
    const former = before.get(eventKey(event))
    const moved = former === undefined ? [] : moves(event, former, earlier.name, consumers)
    // The other modes look at those who read today by themselves. Of a record with another name nobody reads anything.
    if (mode.startsWith('BACKWARD') && !moved.some(({ kind }) => kind === 'record-renamed'))
      findings.push(...readersFirst(event, versions.at(-1), breaks, consumers))
    findings.push(...meaningChanges(event, versions.at(-1), consumers), ...moved)
    before.delete(eventKey(event))
  }
  for (const gone of before.values()) findings.push(removal(gone, contracts, earlier, consumers))
  findings.push(...(contracts.remarks ?? []).flatMap((remark) => undocumented(remark, now, earlier, consumers)))
  return {
    findings: (['break', 'rule', 'warning'] as const).flatMap((one) =>
      findings.filter(({ severity }) => severity === one),
    ),
    checked: now.map((event) => ({
      event: event.type,
      version: event.version,
      earlier: earlier.versions.get(eventKey(event))?.length ?? 0,
    })),
    mode,
    against: earlier.name,
    notes: earlier.notes,
  }
}

/** Told of the first of the events that have it; of a type that none of them has nothing is told. */
function undocumented(
  { type, path, message, file }: ContractRemark,
  events: readonly EventContract[],
  { name }: EarlierContracts,
  consumers: readonly ConsumerContract[],
): ContractFinding[] {
  const event = events.find(({ data }) => typesIn(data).some((one) => one.name === type))
  if (event === undefined) return []
  const place = event.file === file ? ['data', path].filter((step) => step !== '').join('.') : path
  const common = { ...about(event, consumers), file, path: place, within: type, message, against: [name] }
  return [{ ...common, severity: 'rule', kind: 'undocumented', advice: [`Write "doc" there, in ${file}.`] }]
}

function wantedEvents(names: readonly string[] | undefined, contracts: Contracts, earlier: EarlierContracts) {
  if (names === undefined || names.length === 0) return () => true
  const all = [...contracts.events, ...(earlier.events ?? [])]
  for (const name of names)
    if (!all.some((event) => name === event.type || name === eventKey(event)))
      throw new InvalidConfigurationError(
        `there is no event "${name}", now or in ${earlier.name}. There are ${[...new Set(all.map(({ type }) => type))].sort().join(', ')}.`,
      )
  return (event: EventContract) => names.includes(event.type) || names.includes(eventKey(event))
}

function incompatibilities(
  event: EventContract,
  versions: readonly DataVersion[],
  mode: CompatibilityMode,
  consumers: readonly ConsumerContract[],
): ContractFinding[] {
  const breaks = checkVersions({ mode, next: envelopeRecord(event.data), earlier: versions })
  return breaks.filter(isOfTheData).map((one) => {
    const { path, message, advice, against, direction, kind, fails, incompatibility } = one
    // A type that is new is in no earlier file; what refers to it is in this one.
    const types = { within: incompatibility.within ?? event.data.name, event: event.data.name }
    const broken = versions.filter(({ name }) => against.includes(name)).map((version) => fileOf(version, types))
    return {
      severity: 'break',
      kind: 'incompatible',
      ...about(event, consumers),
      file: broken.at(-1)?.file ?? event.file,
      path,
      within: types.within,
      message,
      advice: [...advice, newVersion(event, broken.at(-1)?.file ?? event.file), ...neverWritten(broken)],
      against,
      compatibility: { direction, kind, fails },
    }
  })
}

function fileOf({ definedIn }: DataVersion, types: { readonly within: string; readonly event: string }) {
  return definedIn?.get(types.within) ?? definedIn?.get(types.event)
}

/** The envelope is named after its data: when that has another name, it is said once. */
function isOfTheData({ kind, path }: CompatibilityBreak): boolean {
  return kind !== 'NAME_MISMATCH' || path !== ''
}

function newVersion({ type, version, domain }: EventContract, file: string): string {
  const next = `v${Number(version.slice(1)) + 1}`
  return `Or make it ${type} ${next}: restore ${file}, write the change to ${domain}/${type}.${next}.avsc, and give ${version} an upcaster.`
}

function neverWritten(files: readonly (DefiningFile | undefined)[]): string[] {
  const lines = new Set<string>()
  for (const one of files) {
    if (one?.hash === undefined) return []
    lines.add(`{ hash: ${one.hash}, file: ${one.file}, because: ... }`)
  }
  // Of a long row of versions, surely one was written with.
  if (lines.size > 3) return []
  return [
    `Or, if no record was ever written with what it breaks with, add to ${neverWrittenFileName}: - ${[...lines].join(' and - ')}`,
  ]
}

function moves(
  event: EventContract,
  former: EventContract,
  name: string,
  consumers: readonly ConsumerContract[],
): ContractFinding[] {
  const common = { severity: 'break', ...about(event, consumers), path: '', against: [name] } as const
  const found: ContractFinding[] = []
  if (event.data.name !== former.data.name && !event.data.aliases.includes(former.data.name))
    found.push({
      ...common,
      kind: 'record-renamed',
      message: `the record ${former.data.name} is called ${event.data.name} now: its subject in the registry is another one, and readers that match full names do not take one for the other.`,
      advice: [`Keep the name ${former.data.name}.`, `Or give the record "aliases": ["${former.data.name}"].`],
    })
  if (event.topic.name !== former.topic.name)
    found.push({
      ...common,
      kind: 'topic-changed',
      message: `it moves from topic ${former.topic.name} to ${event.topic.name}: consumers of ${former.topic.name} get no more of it, its order with the other events there is lost, and what was written stays where it is.`,
      advice: [
        `Leave it on ${former.topic.name}.`,
        `Or make it a new version of the event on ${event.topic.name}, and publish both until every consumer has moved.`,
      ],
    })
  if (event.key !== former.key)
    found.push({
      ...common,
      kind: 'key-changed',
      message: `its key is ${event.key} and was ${former.key}: facts about the same ${former.key} go to other partitions than before, so their order is lost, and whoever keeps state by key finds it under another one.`,
      advice: [
        `Keep the key ${former.key}${event.topic.key === former.key ? '' : `: "key": "${former.key}" on the record sets it for this event alone`}.`,
        'Or make it a new version of the event on a topic of its own.',
      ],
    })
  return found
}

function removal(
  gone: EventContract,
  contracts: Contracts,
  earlier: EarlierContracts,
  consumers: readonly ConsumerContract[],
): ContractFinding {
  const names = (event: EventContract) => event.data.fields.map(({ name }) => name).join()
  const known = new Set((earlier.events ?? []).map(eventKey))
  const renamed = contracts.events.find((event) => !known.has(eventKey(event)) && names(event) === names(gone))
  return {
    severity: 'break',
    kind: 'event-removed',
    ...about(gone, consumers),
    path: '',
    message: `the event is gone${renamed === undefined ? '' : `, or renamed to ${eventKey(renamed)} (it has the same fields)`}, while records of it may still be on ${gone.topic.name}: nobody can read those any more.`,
    advice: [
      `Restore ${gone.file}. An event that is no longer published keeps its file as long as there may be records of it; say in its doc that nobody publishes it.`,
    ],
    against: [earlier.name],
  }
}
