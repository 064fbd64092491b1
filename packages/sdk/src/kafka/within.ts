import type { Clock } from '../core/clock.ts'

/** Waits for work to end, well or badly, up to a limit; tells whether it ended in time. Does not reject. */
export function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(Math.max(0, ms), () => resolve(false))
    const ended = () => {
      timer.cancel()
      resolve(true)
    }
    work.then(ended, ended)
  })
}
