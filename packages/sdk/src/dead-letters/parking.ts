import type { FailedEvents } from '../core/failed-events.ts'

/** Takes over the failed events of consumers, keeping the order of each key. */
export interface Parking extends FailedEvents {
  /**
   * What a group has parked at the moment, for metrics.
   *
   * @throws SchemaNotMigratedError when the database has no tables for it.
   */
  stats(group: string): Promise<ParkingStats>
}

/** What a group has parked, whichever instance parked it. */
export interface ParkingStats {
  /** Keys whose events wait, those that are stopped included. */
  readonly parkedKeys: number
  /** Events that wait in the queues of those keys; a dead letter at the head of one is not counted. */
  readonly parkedEvents: number
  /** How long the key that waits longest has waited. Milliseconds; 0 when none waits. */
  readonly oldestMs: number
  readonly deadLetters: number
  /** Keys whose head is a dead letter: their events wait until somebody decides. */
  readonly stoppedKeys: number
}

/** How parked events are tried again. */
export interface ParkingRetry {
  /** Wait before the first attempt. Milliseconds. @default 10000 */
  readonly initialMs?: number
  /** Longest wait before jitter. Milliseconds. @default 600000 */
  readonly maxMs?: number
  /** Attempts that an event gets after it was parked; then it is given up. @default 20 */
  readonly attempts?: number
  /** How long after its first failure an event gets attempts at most. Milliseconds. @default no limit */
  readonly maxAgeMs?: number
}

/** How much may be parked. At a limit the consumer waits: nothing is lost. */
export interface ParkingLimits {
  /** Events of one key. @default 1000 */
  readonly maxPerKey?: number
  /** Events of a group, over all its instances; kept to within some seconds of what they add. @default 100000 */
  readonly maxTotal?: number
}
