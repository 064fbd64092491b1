import type { AvroRecord } from '../avro/avro-schema.ts'
import type { SchemaVersion } from '../avro/compatibility-mode.ts'
import type { ConsumerContract, EventContract } from './contracts.ts'

/** What contracts are compared with: what was promised before. */
export interface EarlierContracts {
  /** Said in messages: `origin/main`, `folder ./released`, `registry http://localhost:8081`. */
  readonly name: string
  /** Events as they were last; `undefined` where only schemas are known, as in a registry. */
  readonly events: readonly EventContract[] | undefined
  /** Who read them then. */
  readonly consumers: readonly ConsumerContract[]
  /** Every version of the data of each event, oldest first, by {@link eventKey}. */
  readonly versions: ReadonlyMap<string, readonly DataVersion[]>
  /** What whoever relies on the comparison should know, such as a history that is cut off. */
  readonly notes: readonly string[]
}

/** One version of what an event carried. */
export interface DataVersion extends SchemaVersion {
  /** Around the data, as on the wire. */
  readonly schema: AvroRecord
  /** The files its types were in, by full name; `undefined` where there are none, as in a registry. */
  readonly definedIn?: ReadonlyMap<string, DefiningFile>
}

export interface DefiningFile {
  /** Relative to the folder of the contracts. */
  readonly file: string
  /** What git calls this content of it; `undefined` outside of git. */
  readonly hash: string | undefined
}

/** `OrderCreated.v1`. */
export function eventKey({ type, version }: Pick<EventContract, 'type' | 'version'>): string {
  return `${type}.${version}`
}
