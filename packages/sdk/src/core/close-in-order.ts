import { type Clock, systemClock } from './clock.ts'
import { CloseDeadlineError, isEvtError } from './errors.ts'

/** Something that was started and can be closed: a consumer, a relay, a broker, a database. */
export interface Closable {
  /** @param deadlineMs how long it may take. Milliseconds. */
  close(deadlineMs: number): unknown
}

/** What is to be closed, by name, in the order of the properties; what was never made may be left `undefined`. */
export type Closables = Readonly<Record<string, Closable | undefined>>

/** What each part gets at least, however late the ones before it were. Milliseconds. */
const leastMs = 500
/** How long a part is waited for beyond its own deadline: to commit, and to leave its group. Milliseconds. */
const lateMs = 3000

/**
 * Closes parts one after another within one deadline, each with what is left of it. One that fails or hangs keeps no other
 * open. Begin with what takes work in and end with what the others stand on.
 *
 * @param deadlineMs for all of them together. @default 10000
 * @throws CloseDeadlineError when a part had to abandon work or did not close in time; it names each.
 * @throws Error the failure of a part, or an AggregateError of several
 *
 * @example
 * await closeInOrder({ consumer, relay, broker, sql }, 10_000)
 */
export async function closeInOrder(
  parts: Closables,
  deadlineMs = 10_000,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<void> {
  const endsAt = clock.monotonic() + deadlineMs
  const failures: { readonly name: string; readonly error: unknown }[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) continue
    const leftMs = Math.max(leastMs, endsAt - clock.monotonic())
    try {
      await inTime(async () => part.close(leftMs), leftMs, clock)
    } catch (error) {
      failures.push({ name, error })
    }
  }
  const [first] = failures
  if (first === undefined) return
  const told = failures
    .map(({ name, error }) => `${name}: ${error instanceof Error ? error.message : error}`)
    .join('; ')
  if (failures.some(({ error }) => isEvtError(error) && error.code === 'EVT_CLOSE_DEADLINE'))
    throw new CloseDeadlineError(told, { cause: first.error })
  if (failures.length === 1) throw first.error
  throw new AggregateError(
    failures.map(({ error }) => error),
    `could not close ${told}`,
  )
}

function inTime(close: () => Promise<unknown>, deadlineMs: number, clock: Clock): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const overdue = clock.after(deadlineMs + lateMs, () =>
      reject(new CloseDeadlineError(`it did not close within ${Math.round(deadlineMs)} ms and was left as it is`)),
    )
    close()
      .then(resolve, reject)
      .finally(() => overdue.cancel())
  })
}
