import { backoffMs, type Clock, isRetryable, type Logger, pause } from '@evtkit/sdk'

export interface KeepTryingOptions {
  /** What is being reached, such as `database`; it opens every log line. */
  readonly what: string
  readonly logger: Logger
  readonly clock: Clock
  /** Ends the attempts; its reason is thrown. */
  readonly signal: AbortSignal
  /** Told about every failure, for readiness. */
  readonly onFailure: (error: Error) => void
}

/** Does something until it works, with a line per attempt that did not. An error that waiting cannot mend is thrown. */
export async function keepTrying<T>(attempt: () => Promise<T>, options: KeepTryingOptions): Promise<T> {
  const { what, logger, clock, signal, onFailure } = options
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted()
    try {
      const result = await attempt()
      if (attempts > 1) logger.info({ what, attempts }, `${what}: there now, after ${attempts} attempts`)
      return result
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      if (!isRetryable(error)) throw error
      onFailure(error)
      const waitMs = backoffMs(attempts, Math.random, { initialMs: 250, maxMs: 3000 })
      logger.warn(
        { what, attempts, waitMs },
        `${what}: attempt ${attempts} failed (${reason(error)}), next in ${waitMs} ms`,
      )
      await pause(clock, waitMs, signal)
    }
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message. */
function reason(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map((each) => String(each?.message ?? each)).join(', ')
  return error.name
}
