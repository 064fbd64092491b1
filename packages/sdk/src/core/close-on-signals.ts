import { type Clock, systemClock } from './clock.ts'
import { type Closables, closeInOrder } from './close-in-order.ts'
import { ClosedError } from './errors.ts'
import { consoleLogger, type Logger } from './logger.ts'

export interface CloseOnSignalsOptions {
  /** For all parts together; what is not finished by then is abandoned and comes again. Milliseconds. @default 10000 */
  readonly deadlineMs?: number
  /** @default SIGTERM and SIGINT */
  readonly signals?: readonly NodeJS.Signals[]
  readonly logger?: Logger
  readonly clock?: Clock
}

/** A process that ends in order. */
export interface Ending {
  /** Aborted when the process begins to end: what still starts gives up. */
  readonly signal: AbortSignal
  /** Ends the process as a signal would. Never resolves: the process is gone by then. */
  end(reason: string): Promise<never>
  /** Takes back what {@link closeOnSignals} did. */
  dispose(): void
}

/** What ending needs of a process. */
export interface EndingProcess {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  on(event: 'uncaughtException', listener: (error: Error) => void): unknown
  off(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(event: 'uncaughtException', listener: (error: Error) => void): unknown
  exit(code: number): never
}

/**
 * Ends this process in order when it is told to: on the first SIGTERM or SIGINT the parts are closed one after another (see
 * {@link closeInOrder}), which finishes or abandons what is under way, commits, leaves the groups and closes connections.
 * The exit code tells how that went:
 *
 * - 0: everything was finished;
 * - 1: work was abandoned or a part could not be closed, or an error that nobody caught brought the process down; nothing
 *   is lost, that work comes again;
 * - 128 and the signal's number (143, 130): a second signal came, and the process ended at once.
 *
 * Call it before the parts start, so that a signal during the start is no accident: `start()` rejects with a ClosedError
 * then. Give the process more time than `deadlineMs` before it is killed: 5 seconds more are enough.
 *
 * @example
 * closeOnSignals({ consumer, relay, broker, sql }, { deadlineMs: 10_000 })
 * await relay.start()
 * await consumer.start()
 */
export function closeOnSignals(parts: Closables, options: CloseOnSignalsOptions = {}): Ending {
  return new OrderlyEnding(process, parts, options)
}

/** Beyond the deadline of the parts; then the process ends whatever still runs. Milliseconds. */
const hardMs = 4500

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTERM: 15,
}

export class OrderlyEnding implements Ending {
  readonly #process: EndingProcess
  readonly #parts: Closables
  readonly #deadlineMs: number
  readonly #signals: readonly NodeJS.Signals[]
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #ending = new AbortController()
  readonly #never = new Promise<never>(() => {})

  constructor(process: EndingProcess, parts: Closables, options: CloseOnSignalsOptions) {
    this.#process = process
    this.#parts = parts
    this.#deadlineMs = options.deadlineMs ?? 10_000
    this.#signals = options.signals ?? ['SIGTERM', 'SIGINT']
    this.#logger = options.logger ?? consoleLogger
    this.#clock = options.clock ?? systemClock
    for (const signal of this.#signals) process.on(signal, this.#onSignal)
    process.on('uncaughtException', this.#onError)
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  end(reason: string): Promise<never> {
    if (!this.#ending.signal.aborted) void this.#close(reason, 0)
    return this.#never
  }

  dispose(): void {
    for (const signal of this.#signals) this.#process.off(signal, this.#onSignal)
    this.#process.off('uncaughtException', this.#onError)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (!this.#ending.signal.aborted) {
      void this.#close(signal, 0)
      return
    }
    this.#logger.error(
      { signal },
      `a second signal (${signal}): the process ends at once; what was under way comes again`,
    )
    this.#process.exit(128 + (signalNumbers[signal] ?? 0))
  }

  readonly #onError = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error)
    this.#logger.error({ error }, `an error that nobody caught ends the process: ${reason}`)
    // A second one says that what was left cannot be closed either.
    if (this.#ending.signal.aborted) this.#process.exit(1)
    else void this.#close('an error that nobody caught', 1)
  }

  async #close(reason: string, code: number): Promise<void> {
    this.#ending.abort(new ClosedError(`the process ends (${reason})`))
    const begunAt = this.#clock.monotonic()
    this.#logger.info({ reason, deadlineMs: this.#deadlineMs }, `the process ends (${reason})`)
    const overdue = this.#clock.after(this.#deadlineMs + hardMs, () => {
      this.#logger.error({ reason }, 'closing did not come to an end; the process ends at once')
      this.#process.exit(1)
    })
    try {
      await closeInOrder(this.#parts, this.#deadlineMs, { clock: this.#clock })
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      this.#logger.error({ error }, `not everything could be finished, it comes again: ${said}`)
      this.#process.exit(1)
    } finally {
      overdue.cancel()
    }
    this.#logger.info({ ms: Math.round(this.#clock.monotonic() - begunAt) }, 'closed')
    this.#process.exit(code)
  }
}
