import type { CompatibilityBreak } from '../avro/compatibility-mode.ts'
import type { ConsumerContract, EventContract } from './contracts.ts'

/** What a change of the contracts does to those who rely on them. */
export interface ContractFinding {
  /**
   * `break`: data or somebody's program would fail, or records move. `rule`: harms nobody, and is not done here.
   * `warning`: worth a second look.
   */
  readonly severity: 'break' | 'rule' | 'warning'
  readonly kind:
    | 'incompatible'
    | 'event-removed'
    | 'record-renamed'
    | 'topic-changed'
    | 'key-changed'
    | 'meaning-changed'
    | 'pii-unmarked'
    | 'readers-first'
    | 'symbol-removed'
    | 'undocumented'
  /** Type of the event, such as `OrderCreated`. */
  readonly event: string
  /** Such as `v1`. */
  readonly version: string
  /** Where to mend it, relative to the folder of the contracts: the file of the event, or of a type that it refers to. */
  readonly file: string
  /** Where in the envelope, such as `data.lines[].price`; empty when the event as a whole is meant. */
  readonly path: string
  /** What changed and what fails, in one sentence. */
  readonly message: string
  /** How to make the change safely, best way first. */
  readonly advice: readonly string[]
  /** Full name of the record that the path ends in; `undefined` when the event as a whole is meant. */
  readonly within?: string
  /** Names of the earlier versions meant, oldest first. */
  readonly against: readonly string[]
  /** Consumer groups that read the event, as `consumers.yaml` declares. */
  readonly consumers: readonly string[]
  /** For `incompatible` and `readers-first`: who fails on which data, in Avro's terms. */
  readonly compatibility?: Pick<CompatibilityBreak, 'direction' | 'kind' | 'fails'>
}

/** Which event a finding is about, and who reads it. */
export function about(event: EventContract, consumers: readonly ConsumerContract[]) {
  const groups = consumers.filter(({ events }) => events.includes(event.type)).map(({ group }) => group)
  return { event: event.type, version: event.version, file: event.file, consumers: [...new Set(groups)].sort() }
}
