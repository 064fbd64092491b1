import { type Backoff, backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

export interface CircuitOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: () => number
  /** Waits between probes. */
  readonly backoff: Backoff
  readonly group: string
}

/** A part that is down, as a consumer sees it. */
export interface Outage {
  readonly part: string
  readonly error: Error
  /** Milliseconds since the epoch. */
  readonly since: number
}

interface Open extends Outage {
  readonly openedAt: number
  probes: number
  nextAt: number
  probing: boolean
}

/** A circuit that opens again within this long after it closed goes on with its longer waits. Milliseconds. */
const relapseMs = 2000
/** How soon to look again while a probe is under way. Milliseconds. */
const whileProbingMs = 100

/**
 * Keeps a consumer from handing events to a part that is down: after the first failure nothing is handed over but one
 * event at a time, as a probe, with growing waits, until one goes through.
 */
export class Circuit {
  readonly #options: CircuitOptions
  #open: Open | undefined
  #lastClosedAt = Number.NEGATIVE_INFINITY
  #lastProbes = 0

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get outage(): Outage | undefined {
    return this.#open
  }

  /** While open: takes the right to hand one event over, if its time has come. The taker must say how it went. */
  tryProbe(): boolean {
    const open = this.#open
    if (open === undefined || open.probing || this.#options.clock.monotonic() < open.nextAt) return false
    open.probing = true
    return true
  }

  /** Milliseconds until handing over is worth a try; 0 when it is now. */
  get restMs(): number {
    const open = this.#open
    if (open === undefined) return 0
    if (open.probing) return whileProbingMs
    return Math.max(0, Math.ceil(open.nextAt - this.#options.clock.monotonic()))
  }

  /** A part turned out to be down. */
  failed(part: string, error: Error, wasProbe: boolean): void {
    const { clock, logger, random, backoff, group } = this.#options
    const now = clock.monotonic()
    if (this.#open === undefined) {
      const relapsed = now - this.#lastClosedAt < relapseMs
      this.#open = {
        ...{ part, error, since: clock.now(), openedAt: now, probing: false, nextAt: 0 },
        probes: relapsed ? this.#lastProbes : 0,
      }
      logger.error(
        { group, part, error },
        `the ${part} is down: partitions pause and nothing is counted or set aside; one event at a time probes it: ${error.message}`,
      )
    } else if (!wasProbe) return
    const open = this.#open
    open.probing = false
    open.probes++
    open.nextAt = now + backoffMs(open.probes, random, backoff)
  }

  /** A probe went through. */
  recovered(): void {
    const open = this.#open
    if (open === undefined) return
    const { clock, logger, group } = this.#options
    this.#open = undefined
    this.#lastClosedAt = clock.monotonic()
    this.#lastProbes = open.probes
    const downMs = Math.round(clock.monotonic() - open.openedAt)
    logger.warn({ group, part: open.part, downMs }, `the ${open.part} is back after ${downMs} ms; work goes on`)
  }

  /** A probe ended without saying anything about the part, as when the consumer closes. */
  inconclusive(): void {
    if (this.#open !== undefined) this.#open.probing = false
  }
}
