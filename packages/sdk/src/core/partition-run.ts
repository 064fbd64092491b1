import type { Clock, Timer } from './clock.ts'
import { type LaneOutcome, Lanes, type Slots } from './lanes.ts'
import type { Delivery } from './message.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { Batch, Verdict } from './transport.ts'
import { Watermark } from './watermark.ts'

export interface PartitionRunOptions {
  readonly batch: Batch
  readonly progress: PartitionProgress
  readonly slots: Slots
  readonly clock: Clock
  /** How long nothing is to be handed over at all, as in an outage. Milliseconds. */
  restMs(): number
  /** Hands one delivery over; tells whether it is finished. Must not throw or reject. */
  handOver(delivery: Delivery): LaneOutcome | Promise<LaneOutcome>
}

/** Longest time that handlers which finish at once may keep the event loop to themselves. Milliseconds. */
const turnMs = 20

/**
 * Longest rest of a partition between attempts. A failed record may wait far longer, but records of other keys that came
 * meanwhile must not wait with it. Milliseconds.
 */
const longestRestMs = 1000

/**
 * How often a batch says that it is alive. A handler is bounded by its own deadline, so waiting for one, or for a slot that
 * other partitions have, is no stall, however long the queue. Milliseconds.
 */
const lifeSignMs = 1000

/** Takes one batch of a partition through the lanes and says how far its offset may move. */
export async function runPartition(options: PartitionRunOptions): Promise<Verdict> {
  const { batch, progress, slots, clock, handOver, restMs } = options
  const { deliveries, signal } = batch
  const rest = restMs()
  if (rest > 0) return { next: nextOffset(deliveries, 0), retryInMs: Math.min(longestRestMs, rest) }
  const watermark = new Watermark(deliveries.length)

  const run = (index: number): LaneOutcome | Promise<LaneOutcome> => {
    const delivery = deliveries[index]
    if (delivery === undefined) return 'held'
    if (!progress.isClean && !progress.isDue(delivery.offset, clock.monotonic())) return 'held'
    const outcome = handOver(progress.isClean ? delivery : progress.attempt(delivery))
    if (outcome instanceof Promise) return outcome.then((result) => settle(index, delivery, result, true))
    return settle(index, delivery, outcome, false)
  }
  const settle = (index: number, delivery: Delivery, outcome: LaneOutcome, tell: boolean): LaneOutcome => {
    if (outcome === 'held') return outcome
    if (!progress.isClean) progress.succeeded(delivery.offset)
    watermark.finish(index)
    if (tell) batch.settle(nextOffset(deliveries, watermark.prefix))
    return outcome
  }
  const keyOf = (index: number): string => deliveries[index]?.message.key?.toString('latin1') ?? ''

  const lanes = new Lanes<number>({ slots, keyOf, run })
  const stop = () => lanes.stop()
  signal.addEventListener('abort', stop, { once: true })
  let turnStarted = clock.monotonic()
  for (let i = 0; i < deliveries.length && !signal.aborted; i++) {
    const delivery = deliveries[i]
    if (delivery !== undefined && !progress.isClean && progress.isFinished(delivery.offset)) watermark.finish(i)
    else lanes.push(i)
    if ((i & 63) === 63 && clock.monotonic() - turnStarted > turnMs) {
      batch.settle(nextOffset(deliveries, watermark.prefix))
      await new Promise(setImmediate)
      turnStarted = clock.monotonic()
    }
  }
  if (!lanes.isIdle) await aliveUntil(lanes.idle(), clock, () => batch.settle(nextOffset(deliveries, watermark.prefix)))
  signal.removeEventListener('abort', stop)

  progress.rememberFinished(finishedBeyond(deliveries, watermark), nextOffset(deliveries, deliveries.length) - 1n)
  return {
    next: nextOffset(deliveries, watermark.prefix),
    retryInMs: Math.min(longestRestMs, Math.max(restMs(), progress.retryInMs(clock.monotonic()))),
  }
}

async function aliveUntil(idle: Promise<void>, clock: Clock, tell: () => void): Promise<void> {
  const arm = (): Timer =>
    clock.after(lifeSignMs, () => {
      timer = arm()
      tell()
    })
  let timer = arm()
  await idle
  timer.cancel()
}

function nextOffset(deliveries: readonly Delivery[], prefix: number): bigint {
  const first = deliveries[prefix]
  if (first !== undefined) return first.offset
  const last = deliveries[deliveries.length - 1]
  return last === undefined ? 0n : last.offset + 1n
}

function finishedBeyond(deliveries: readonly Delivery[], watermark: Watermark): bigint[] {
  const offsets: bigint[] = []
  for (let i = watermark.prefix; i < deliveries.length; i++) {
    const delivery = deliveries[i]
    if (delivery !== undefined && watermark.isFinished(i)) offsets.push(delivery.offset)
  }
  return offsets
}
