import { type Clock, pause } from '../core/clock.ts'
import { HistoryGapError } from '../core/errors.ts'
import type { DriverAdmin, PartitionPosition } from './driver.ts'

export interface HistoryGapSearch {
  readonly admin: Pick<DriverAdmin, 'offsets'>
  readonly clock: Clock
  readonly group: string
  /** Where the partition stands. */
  readonly position: PartitionPosition
  /** Whether anybody still wants to know. */
  isOpen(): boolean
}

const askAgainMs = 1000

/** How much is missing between where a group stands and where the log begins; asks until the broker tells. */
export async function measureGap(search: HistoryGapSearch): Promise<HistoryGapError | undefined> {
  const { topic, partition, offset: committed } = search.position
  while (search.isOpen()) {
    const offsets = await search.admin.offsets(topic).catch(() => undefined)
    const available = offsets?.find((candidate) => candidate.partition === partition)?.low
    if (available !== undefined)
      return new HistoryGapError({ topic, partition, committed, available, group: search.group })
    await pause(search.clock, askAgainMs)
  }
  return undefined
}
