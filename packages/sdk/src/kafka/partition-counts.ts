import type { Clock } from '../core/clock.ts'
import { UnknownTopicError } from '../core/errors.ts'
import type { DriverAdmin } from './driver.ts'

interface Known {
  readonly count: number
  renewAt: number
}

/** How soon it is asked again when asking failed. Milliseconds. */
const askAgainMs = 1000

/** How many partitions each topic has: asked once, then renewed behind the back of those who ask. */
export class PartitionCounts {
  readonly #admin: Pick<DriverAdmin, 'describeTopic'>
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #known = new Map<string, Known>()
  readonly #asking = new Map<string, Promise<number>>()

  constructor(admin: Pick<DriverAdmin, 'describeTopic'>, clock: Clock, maxAgeMs: number) {
    this.#admin = admin
    this.#clock = clock
    this.#maxAgeMs = maxAgeMs
  }

  /** What is known now, `undefined` when nothing is. Too old knowledge is still given while new is fetched. */
  get(topic: string): number | undefined {
    const known = this.#known.get(topic)
    if (known === undefined) return undefined
    const now = this.#clock.monotonic()
    if (now >= known.renewAt) {
      known.renewAt = now + askAgainMs
      // An outage must not take away what is known; whoever sends notices the outage.
      this.ask(topic).catch(() => {})
    }
    return known.count
  }

  /** @throws UnknownTopicError BrokerUnavailableError BrokerRefusedError */
  ask(topic: string): Promise<number> {
    let asking = this.#asking.get(topic)
    if (asking === undefined) {
      asking = this.#fetch(topic).finally(() => this.#asking.delete(topic))
      this.#asking.set(topic, asking)
    }
    return asking
  }

  async #fetch(topic: string): Promise<number> {
    const description = await this.#admin.describeTopic(topic)
    if (description === undefined) {
      this.#known.delete(topic)
      throw new UnknownTopicError(topic)
    }
    this.#known.set(topic, { count: description.partitions, renewAt: this.#clock.monotonic() + this.#maxAgeMs })
    return description.partitions
  }
}
