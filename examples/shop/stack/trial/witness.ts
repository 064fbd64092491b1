import { headerNames, headerText, newUuid, type Transport } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { allTopics } from '../../contracts/index.ts'

/** Sees every record of the shop's topics go by, in a consumer group of its own, and remembers which event each was. */
export class Witness {
  readonly #kafka: Transport
  readonly #events = new Map<string, string>()

  private constructor(brokers: readonly string[]) {
    this.#kafka = createKafka({ brokers, clientId: 'trial-witness' })
  }

  static async start(brokers: readonly string[]): Promise<Witness> {
    const witness = new Witness(brokers)
    await witness.#kafka.subscribe({
      group: `trial-${newUuid()}`,
      topics: allTopics.map((topic) => topic.name),
      stallMs: 30_000,
      onStatus: () => {},
      handle: async ({ topic, partition, deliveries }) => {
        for (const { offset, message } of deliveries) {
          const eventId = headerText(message, headerNames.eventId) ?? 'none'
          witness.#events.set(place(topic, partition, offset), eventId)
        }
        const last = deliveries.at(-1)?.offset ?? -1n
        return { next: last + 1n, retryInMs: 0 }
      },
    })
    return witness
  }

  get kafka(): Transport {
    return this.#kafka
  }

  /** The event of the record at this place of the log; undefined when it has not been seen. */
  eventAt(topic: string, partition: number, offset: bigint): string | undefined {
    return this.#events.get(place(topic, partition, offset))
  }

  /** How many records carried an event that another record had carried already. */
  repeatedRecords(): number {
    return this.#events.size - new Set(this.#events.values()).size
  }

  get records(): number {
    return this.#events.size
  }

  close(): Promise<void> {
    return this.#kafka.close()
  }
}

function place(topic: string, partition: number, offset: bigint): string {
  return `${topic}/${partition}/${offset}`
}
