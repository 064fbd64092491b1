import type { Backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Codec } from './codec.ts'
import type { EventDefinition } from './event.ts'
import type { FailedEvents } from './failed-events.ts'
import type { Logger } from './logger.ts'
import type { RejectHandler } from './rejection.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Source } from './transport.ts'

export interface ConsumerOptions {
  readonly source: Source
  /** Consumer group: the identity under which progress is kept. A new group, a renamed one too, starts at the earliest record. */
  readonly group: string
  /** Stores what cannot be read or is not known, with its bytes; the offset moves only after that. */
  readonly rejected: RejectHandler
  /** Events known on these topics: the ones without a handler here are skipped instead of rejected. */
  readonly catalogue?: readonly EventDefinition[]
  /** Handlers running at once, over all partitions. @default 16 */
  readonly concurrency?: number
  /**
   * Most bytes taken in and not finished, over all partitions; while there are as many, nothing more is fetched, so a backlog
   * of any length needs no more memory. A larger record is still handed over, when it is the only one. Counted are keys, values
   * and headers, these by a flat rate where they are not read. Bytes. @default 67108864 (64 MiB)
   */
  readonly maxInFlightBytes?: number
  /** The same in records, for very small ones. One fetch may go beyond it. @default 100000 */
  readonly maxInFlightRecords?: number
  /** Longest time for one handler; then its signal is aborted. Milliseconds, not infinite. @default 30000 */
  readonly deadlineMs?: number
  /**
   * How a handler that failed is tried again in place. Meanwhile the records of its key wait; other keys of its partition go
   * on, but only as far as one fetch from the failing record reaches, since the offset stays there. Other partitions are not
   * concerned. Without `failed` there is no last attempt: it is tried again until it succeeds.
   *
   * What is not the event's fault counts for nothing: while the database, the broker, the registry or a dependency declared
   * here is down, all partitions pause and single events probe it.
   *
   * A handler whose deadline has passed is tried again only once the old call has returned; with `failed`, one that ignores
   * its signal counts as lost after a second deadline.
   */
  readonly retry?: RetryPolicy
  /** Takes over events whose attempts are used up, so that their partition goes on. @default nobody */
  readonly failed?: FailedEvents
  /** Waits between probes of a part that is down. @default 200 ms, up to 5 s */
  readonly probe?: Backoff
  /** What records are read with; `codecPerTopic` reads several formats. @default jsonCodec */
  readonly codec?: Codec
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: () => number
}
