/** Time as the SDK sees it: handed in, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. Only for timestamps. */
  now(): number
  /** Milliseconds that only ever grow; for durations and deadlines. */
  monotonic(): number
  /** Calls back once after `ms` milliseconds, unless cancelled. */
  after(ms: number, callback: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** What `setTimeout` can wait, some 25 days; anything longer it would take for a millisecond. */
const longestTimerMs = 2 ** 31 - 1

/** The computer's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const arm = (leftMs: number): NodeJS.Timeout =>
      leftMs > longestTimerMs
        ? setTimeout(() => {
            handle = arm(leftMs - longestTimerMs)
          }, longestTimerMs)
        : setTimeout(callback, leftMs)
    let handle = arm(ms)
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Waits `ms` milliseconds; returns early, without an error, when the signal is aborted. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
