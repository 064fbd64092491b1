/** Carries out what the outbox promised. */
export interface Relay {
  /**
   * Starts relaying. Resolves after the first look at the database; when that cannot be reached, the relay goes on
   * trying by itself, with a log line per attempt.
   *
   * @throws SchemaNotMigratedError when the database has no outbox.
   */
  start(): Promise<void>
  /**
   * Stops claiming, waits for the send under way and removes what it got acknowledged.
   *
   * @param deadlineMs after that the send is abandoned, and a database that does not answer. @default 10000
   * @throws CloseDeadlineError when something was; the rows are sent again, by this relay's successor or another one.
   */
  close(deadlineMs?: number): Promise<void>
  health(): RelayHealth
  stats(): Promise<RelayStats>
  /** Looks for new rows at once instead of at the next poll. */
  nudge(): void
}

/** How a relay is doing, for readiness. */
export interface RelayHealth {
  readonly ready: boolean
  /** `unavailable`: the database or the broker cannot be reached. `held`: some rows were refused and wait, or are set aside. */
  readonly state: 'new' | 'connecting' | 'running' | 'held' | 'unavailable' | 'closed'
  /** One line for a person; empty when all is well. */
  readonly detail: string
}

export interface RelayStats {
  /** Rows sent and removed by this relay since it was created. */
  readonly relayed: number
  /** Rows waiting in the outbox, whoever relays them. */
  readonly depth: number
  /** Age of the oldest of them. Milliseconds; 0 when nothing waits. */
  readonly oldestWaitingMs: number
  /** Rows set aside because they can never be sent as they are. */
  readonly setAside: number
  /** Shares of the outbox this relay holds at the moment, of 16. */
  readonly buckets: number
}
