import type { ConnectionOptions } from 'node:tls'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/** How this client proves who it is. Never printed. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Called for each connection; gives the token. */
      readonly oauthBearerProvider: () => Promise<{ readonly value: string }>
    }

export interface KafkaOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** Name of this program in the broker's logs and quotas. @default 'evtkit' */
  readonly clientId?: string
  /** `true` for TLS with the computer's certificates, or what `tls.connect` takes. @default plain */
  readonly ssl?: boolean | ConnectionOptions
  readonly sasl?: KafkaSasl
  /** @default warnings and errors to standard error */
  readonly logger?: Logger
  readonly clock?: Clock
  /** Gives numbers from 0 up to 1, for jitter and for where messages without a key begin. @default Math.random */
  readonly random?: () => number

  /**
   * How long a send may take, all attempts together, before it fails with SendTimeoutError or the last reason. Counted from
   * the call; one call that waits behind another can take up to twice as long. Milliseconds. @default 30000
   */
  readonly deliveryTimeoutMs?: number
  /** How long one answer of a broker is waited for before it counts as lost. Milliseconds. @default 10000 */
  readonly requestTimeoutMs?: number
  /** How long connecting may take. Milliseconds. @default 5000 */
  readonly connectionTimeoutMs?: number
  /** Largest record that is sent, with its headers. Bytes. @default 1048000, what a broker takes that has its default of 1 MiB */
  readonly maxRecordBytes?: number
  /** How old the knowledge of topics and partitions may become. Milliseconds. @default 30000 */
  readonly metadataMaxAgeMs?: number

  /** Without a sign of life for this long a member loses its partitions. Milliseconds. @default 30000 */
  readonly sessionTimeoutMs?: number
  /** How often signs of life are sent; at most a third of the session. Milliseconds. @default 3000 */
  readonly heartbeatIntervalMs?: number
  /** How long a broker may hold back an answer while there are no records; closing waits for it. Milliseconds. @default 250 */
  readonly fetchMaxWaitMs?: number
  /** Offsets are committed at most this often while records flow. Milliseconds. @default 1000 */
  readonly commitIntervalMs?: number

  /**
   * What to do where records are gone between the committed offset and the log. `stop`: that partition waits, with a
   * HistoryGapError in the status, until it is moved by `seek` or the group's offset is set. `oldest`: the same error is
   * told and logged, and it goes on at the oldest record that is left. @default 'stop'
   */
  readonly historyGap?: 'stop' | 'oldest'

  /** Copies of each partition of a topic made by `createTopics`; -1 for the broker's default. @default -1 */
  readonly replicationFactor?: number
}
