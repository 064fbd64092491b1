import type { Clock } from '../core/clock.ts'
import type { UnreadableBatchError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { SourceStatus } from '../core/transport.ts'
import type { Assignment } from './assignment.ts'
import type { DriverAdmin, PartitionPosition } from './driver.ts'
import { measureGap } from './history-gap.ts'
import type { PausedPartitions } from './paused-partitions.ts'

export interface UndecidedPartitionsOptions {
  readonly admin: Pick<DriverAdmin, 'offsets'>
  readonly clock: Clock
  readonly logger: Logger
  readonly group: string
  readonly historyGap: 'stop' | 'oldest'
  readonly paused: PausedPartitions
  /** The one that holds now. */
  assignment(): Assignment
  seek(position: PartitionPosition): void
  tell(status: SourceStatus): void
}

/** Partitions that cannot go on as they are, because records are gone or cannot be read: they wait for a person, and say so. */
export class UndecidedPartitions {
  readonly #options: UndecidedPartitionsOptions

  constructor(options: UndecidedPartitionsOptions) {
    this.#options = options
  }

  /** The log no longer holds the position of a partition. */
  outOfRange(position: PartitionPosition): void {
    this.#options.paused.undecided(position)
    void this.#tellGap(position, this.#options.assignment())
  }

  /** The next batch of a partition cannot be unpacked. */
  unreadable(error: UnreadableBatchError): void {
    const { assignment, paused, tell } = this.#options
    // An answer to a question of an earlier assignment.
    if (!assignment().has(error)) return
    paused.undecided(error)
    tell({ state: 'unavailable', error })
  }

  async #tellGap(position: PartitionPosition, assignment: Assignment): Promise<void> {
    const { admin, clock, logger, group, historyGap, paused, seek, tell } = this.#options
    const isOpen = () => this.#options.assignment() === assignment && paused.isUndecided(position)
    const error = await measureGap({ admin, clock, group, position, isOpen })
    if (error === undefined || !isOpen()) return
    tell({ state: 'gap', error })
    if (historyGap === 'stop') return
    const { topic, partition, available } = error
    logger.error({ error, topic, partition }, `${error.message} It goes on at ${available}, as historyGap says.`)
    seek({ topic, partition, offset: available })
  }
}
