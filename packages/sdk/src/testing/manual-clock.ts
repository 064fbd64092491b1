import type { Clock, Timer } from '../core/clock.ts'

/** Time that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms` and runs every timer that falls due, each at its own time and in the order of those times;
   * equal ones in the order they were set. Timers set meanwhile run too when they fall due within `ms`. Between timers,
   * promises get their turn, so that what a timer set in motion is done before the next one.
   */
  advance(ms: number): Promise<void>
  /** Timers that are set and have not run. */
  readonly pending: number
}

interface Entry {
  readonly dueAt: number
  readonly callback: () => void
}

/** Creates a clock that stands at `now`. @default 2026-01-01T00:00:00Z */
export function createManualClock({ now = Date.UTC(2026, 0, 1) }: { readonly now?: number } = {}): ManualClock {
  let elapsed = 0
  const timers = new Set<Entry>()

  /** Set order is insertion order, so `<` keeps the earlier one of two that are due at once. */
  const nextDue = (limit: number): Entry | undefined => {
    let first: Entry | undefined
    for (const entry of timers)
      if (entry.dueAt <= limit && (first === undefined || entry.dueAt < first.dueAt)) first = entry
    return first
  }

  return {
    now: () => now + elapsed,
    monotonic: () => elapsed,
    after(ms, callback): Timer {
      const entry = { dueAt: elapsed + Math.max(0, ms), callback }
      timers.add(entry)
      return { cancel: () => void timers.delete(entry) }
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`time moves forward only: expected 0 or more milliseconds, got ${ms}`)
      const end = elapsed + ms
      await settled()
      for (let entry = nextDue(end); entry !== undefined; entry = nextDue(end)) {
        timers.delete(entry)
        elapsed = Math.max(elapsed, entry.dueAt)
        entry.callback()
        await settled()
      }
      elapsed = end
    },
    get pending() {
      return timers.size
    },
  }
}

/** Lets promises and immediates that are already waiting run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}
