import type { Backoff } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Sender } from '../core/transport.ts'
import type { RelaySessions } from './relay-session.ts'

/** What a relay needs to know to run; every value is set. */
export interface RelaySettings {
  readonly sessions: RelaySessions
  readonly sender: Sender
  /** Rows per send. */
  readonly batchSize: number
  /** Bytes per send. */
  readonly batchBytes: number
  readonly busyPollMs: number
  readonly idlePollMs: number
  /** How often the share of the work is looked at. */
  readonly balanceMs: number
  readonly backoff: Backoff
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
}
