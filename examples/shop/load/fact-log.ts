import { type Codec, type Consumer, createConsumer, type Logger, newUuid, type Source } from '@evtkit/sdk'
import { type AboutOrder, allEvents, isAboutOrder } from '../contracts/index.ts'

/** An event of the shop about an order. */
export type ShopFact = AboutOrder

export interface FactLogOptions {
  readonly source: Source
  /** What the services write with. @default JSON */
  readonly codec?: Codec | undefined
  readonly logger: Logger
  /** Told about each fact the first time it is seen. */
  readonly onFact?: (fact: ShopFact) => void
}

/** Listens to every topic of the shop from its beginning, beside the services and unnoticed by them. */
export class FactLog {
  readonly #consumer: Consumer
  readonly #facts: ShopFact[] = []
  readonly #byOrder = new Map<string, ShopFact[]>()
  readonly #seen = new Set<string>()
  readonly #onFact: (fact: ShopFact) => void
  #repeated = 0
  #unreadable = 0

  constructor({ source, codec, logger, onFact = () => {} }: FactLogOptions) {
    this.#onFact = onFact
    this.#consumer = createConsumer({
      source,
      // A group of its own every time: it keeps no progress and disturbs no service.
      group: `fact-log-${newUuid()}`,
      rejected: () => {
        this.#unreadable++
      },
      ...(codec !== undefined && { codec }),
      logger,
      concurrency: 256,
    })
    for (const event of allEvents)
      this.#consumer.on(event, (fact) => {
        if (isAboutOrder(fact)) this.#note(fact)
      })
  }

  start(): Promise<void> {
    return this.#consumer.start()
  }

  close(): Promise<void> {
    return this.#consumer.close()
  }

  /** Every fact about an order once, those of one order and topic in their order. */
  get facts(): readonly ShopFact[] {
    return this.#facts
  }

  /** Records that repeated an event seen before. */
  get repeated(): number {
    return this.#repeated
  }

  /** Records that are no events of the shop. */
  get unreadable(): number {
    return this.#unreadable
  }

  factsOf(orderId: string): readonly ShopFact[] {
    return this.#byOrder.get(orderId) ?? []
  }

  #note(fact: ShopFact): void {
    if (this.#seen.has(fact.eventId)) {
      this.#repeated++
      return
    }
    this.#seen.add(fact.eventId)
    this.#facts.push(fact)
    const ofOrder = this.#byOrder.get(fact.data.orderId)
    if (ofOrder === undefined) this.#byOrder.set(fact.data.orderId, [fact])
    else ofOrder.push(fact)
    this.#onFact(fact)
  }
}
