import { InvalidConfigurationError } from './errors.ts'

/** How much a consumer may have taken in and not finished, over all partitions. */
export interface InFlightLimits {
  readonly maxBytes: number
  readonly maxRecords: number
}

export const defaultInFlightLimits: InFlightLimits = { maxBytes: 64 * 1024 * 1024, maxRecords: 100_000 }

/** @throws InvalidConfigurationError for limits that are not whole numbers from 1 up */
export function inFlightLimits(options: {
  readonly maxInFlightBytes?: number | undefined
  readonly maxInFlightRecords?: number | undefined
}): InFlightLimits {
  const { maxInFlightBytes = defaultInFlightLimits.maxBytes, maxInFlightRecords = defaultInFlightLimits.maxRecords } =
    options
  for (const [name, limit] of Object.entries({ maxInFlightBytes, maxInFlightRecords }))
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new InvalidConfigurationError(`${name} must be a whole number from 1 up, got ${limit}`)
  return { maxBytes: maxInFlightBytes, maxRecords: maxInFlightRecords }
}

/** Share of the limit that must be free before more is taken in. */
const leastRoom = 1 / 16

/** Something that holds records until it is finished. */
export interface Load {
  readonly bytes: number
  readonly records: number
}

/**
 * What was taken in and is not finished. A source asks for room before it takes in more; what it then gets may be larger
 * than the room was, because a log hands out no less than one record, and Kafka no less than one of its own batches.
 */
export class InFlight {
  readonly #limits: InFlightLimits
  #bytes = 0
  #records = 0
  #waiting: (() => void)[] = []

  constructor(limits: InFlightLimits) {
    this.#limits = limits
  }

  /** Bytes that may still be taken in; 0 also when there are too many records, or hardly any room. */
  get roomBytes(): number {
    if (this.#records >= this.#limits.maxRecords) return 0
    const room = this.#limits.maxBytes - this.#bytes
    // Little by little would be many fetches of a record or two each.
    return room < this.#limits.maxBytes * leastRoom ? 0 : room
  }

  take({ bytes, records }: Load): void {
    this.#bytes += bytes
    this.#records += records
  }

  release({ bytes, records }: Load): void {
    this.#bytes -= bytes
    this.#records -= records
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) callback()
  }

  /** Calls back once, when something is released. */
  onRelease(callback: () => void): void {
    this.#waiting.push(callback)
  }
}
