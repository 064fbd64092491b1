import type { Colors } from 'picocolors/types.js'
import type { ShopFact } from '../load/fact-log.ts'

type Paint = (text: string) => string

/** Lines that show facts as they happen: when, which order, who says what, and how long after its cause. */
export class Timeline {
  readonly #colors: Colors
  readonly #services: Readonly<Record<string, Paint>>
  /** When each fact happened, by its id; milliseconds since the epoch. */
  readonly #times = new Map<string, number>()
  #begun: number | undefined

  constructor(colors: Colors) {
    this.#colors = colors
    this.#services = {
      order: colors.cyan,
      inventory: colors.yellow,
      payment: colors.magenta,
      shipping: colors.blue,
      notification: colors.green,
    }
  }

  heading(): string {
    return this.#colors.dim(
      `${'time'.padStart(9)}  ${'order'.padEnd(5)} ${'service'.padEnd(14)}${'event'.padEnd(28)}${'key'.padEnd(14)}after its cause`,
    )
  }

  /** @param label the order as the reader knows it, such as `#3`. */
  line(fact: ShopFact, label: string): string {
    const time = Date.parse(fact.timestamp)
    this.#begun ??= time
    this.#times.set(fact.eventId, time)
    const cause = fact.causationId === null ? undefined : this.#times.get(fact.causationId)
    const service = fact.source.replace(/-service$/, '')
    const after = fact.causationId === null ? 'request' : cause === undefined ? '' : `+${time - cause} ms`
    const { dim } = this.#colors
    return [
      dim(`${`${((time - this.#begun) / 1000).toFixed(3)} s`.padStart(9)}`),
      ` ${label.padEnd(5)}`,
      (this.#services[service] ?? String)(service.padEnd(13)),
      this.#event(fact.eventType),
      dim(shortKey(fact.data.orderId).padEnd(13)),
      dim(after),
    ].join(' ')
  }

  /** Something that is no fact but worth a line. */
  note(service: string, text: string): string {
    const { dim } = this.#colors
    return `${' '.repeat(17)}${(this.#services[service] ?? String)(service.padEnd(13))} ${dim(text)}`
  }

  #event(type: string): string {
    const { bold, green, red } = this.#colors
    const padded = type.padEnd(27)
    if (type === 'OrderShipped') return bold(green(padded))
    if (type === 'OrderCancelled') return bold(red(padded))
    return type.endsWith('Failed') ? red(padded) : padded
  }
}

/** The end of a long key: ids that sort by time begin alike. */
function shortKey(key: string): string {
  return key.length > 13 ? `…${key.slice(-12)}` : key
}
