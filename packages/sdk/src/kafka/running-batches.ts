import type { TopicPartition } from './driver.ts'
import { keyOf } from './paused-partitions.ts'
import type { RunningBatch } from './running-batch.ts'

/** The batches of one member that are in the hands of the handler. */
export class RunningBatches implements Iterable<RunningBatch> {
  readonly #running = new Set<RunningBatch>()
  #whenIdle: (() => void)[] = []

  get size(): number {
    return this.#running.size
  }

  [Symbol.iterator](): Iterator<RunningBatch> {
    return this.#running.values()
  }

  begin(run: RunningBatch): void {
    this.#running.add(run)
  }

  end(run: RunningBatch): void {
    this.#running.delete(run)
    if (this.#running.size === 0) for (const idle of this.#whenIdle.splice(0)) idle()
  }

  /** Tells the handlers to finish what runs and start nothing. */
  stopAll(reason: Error): void {
    for (const run of this.#running) run.stop(reason)
  }

  /** The partition goes on elsewhere; what becomes of its batch no longer counts. */
  move(place: TopicPartition, reason: Error): void {
    const key = keyOf(place)
    for (const run of this.#running) {
      if (keyOf(run) !== key) continue
      run.moved = true
      run.stop(reason)
    }
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }
}
