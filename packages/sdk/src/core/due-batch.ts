import type { FailedEventsMember } from './failed-events.ts'
import type { Delivery } from './message.ts'
import type { Batch } from './transport.ts'

/** How much of a batch may be handed over now. */
export interface DueBatch {
  /** The batch up to the first record that is not due; `undefined` when that is the very first. */
  readonly batch: Batch | undefined
  /** How long until the next record is due. Milliseconds. */
  readonly restMs: number
}

/** Cuts a batch before the first event that came back and has to wait; records that wait behind it are due later. */
export function dueBatch(batch: Batch, takesOver: FailedEventsMember | undefined): DueBatch {
  if (takesOver?.returned === undefined) return { batch, restMs: 0 }
  for (const [i, delivery] of batch.deliveries.entries()) {
    const restMs = waitOf(delivery, takesOver)
    if (restMs === undefined) return { batch, restMs: 0 }
    if (restMs > 0) return { batch: i === 0 ? undefined : upTo(batch, i), restMs }
  }
  return { batch, restMs: 0 }
}

/** `undefined` for a record of any other topic: then the whole batch is of such records. */
function waitOf(delivery: Delivery, takesOver: FailedEventsMember): number | undefined {
  try {
    return takesOver.returned?.(delivery)?.dueInMs
  } catch {
    // What it is instead of an event is found out, and dealt with, when it is handed over.
    return 0
  }
}

function upTo(batch: Batch, count: number): Batch {
  const { topic, partition, generation, deliveries, highWatermark, signal } = batch
  return {
    ...{ topic, partition, generation, highWatermark, signal },
    deliveries: deliveries.slice(0, count),
    settle: (next) => batch.settle(next),
  }
}
