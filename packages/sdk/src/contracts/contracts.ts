import type { AvroRecord } from '../avro/avro-schema.ts'

/** Everything that a folder of contracts says: the topics, the events they carry, and who reads them. */
export interface Contracts {
  readonly topics: readonly TopicContract[]
  /** By type, then version; every version of each. */
  readonly events: readonly EventContract[]
  readonly consumers: readonly ConsumerContract[]
  /** What should be put right and keeps nobody from reading them; `evt schema check` fails on it. @default none */
  readonly remarks?: readonly ContractRemark[]
}

/** Words that are missing. */
export interface ContractRemark {
  /** Relative to the folder of the contracts. */
  readonly file: string
  /** Where in the file's schema, such as `lines[].price`; empty for the record at its top. */
  readonly path: string
  /** Full name of the record. */
  readonly type: string
  /** One sentence. */
  readonly message: string
}

/** One topic of `topics.yaml`. */
export interface TopicContract {
  readonly name: string
  readonly partitions: number
  /** Milliseconds; -1 for ever. */
  readonly retentionMs: number
  /** @default 'delete' */
  readonly cleanup: 'delete' | 'compact' | 'compact,delete'
  /** Copies of each partition; `undefined` for the cluster's default. */
  readonly replicas: number | undefined
  /** Path of the field that holds the key, in every event of the topic that does not name one of its own. */
  readonly key: string
  /** The team or service that answers for it. */
  readonly owner: string
  readonly description: string
  /** Belongs to somebody else: looked at, never touched. */
  readonly external: boolean
  /** Types of the events it carries, as listed. */
  readonly events: readonly string[]
}

/** One version of one event: a file `<domain>/<EventName>.v<n>.avsc`. */
export interface EventContract {
  /** Such as `OrderCreated`. */
  readonly type: string
  /** Such as `v1`. */
  readonly version: string
  /** Name of the folder, such as `orders`. */
  readonly domain: string
  readonly topic: TopicContract
  /** Path of the field in the data that holds the key, such as `orderId`. */
  readonly key: string
  /** The data record, with every reference resolved. */
  readonly data: AvroRecord
  /** Relative to the folder of the contracts, with `/`. */
  readonly file: string
}

/** Who reads what, as `consumers.yaml` declares it. */
export interface ConsumerContract {
  /** Consumer group. */
  readonly group: string
  readonly owner: string
  /** Types of the events it handles. */
  readonly events: readonly string[]
}
