import type { RawMessage } from '../../core/message.ts'
import { partitionOf } from '../../core/murmur2.ts'
import { defineTopic } from '../../core/topic.ts'
import type { Transport } from '../../core/transport.ts'
import type { ConformanceCase, ConformanceHarness } from './conformance.ts'
import { eventually } from './eventually.ts'
import { createGate, type Gate } from './gate.ts'
import { Reader, type ReaderOptions } from './reader.ts'

/** What one case works with; all it opens is closed when the case ends. */
export class Stage {
  readonly harness: ConformanceHarness
  readonly #clients: Transport[] = []
  readonly #gates: Gate[] = []
  #main: Promise<Transport> | undefined

  constructor(harness: ConformanceHarness) {
    this.harness = harness
  }

  /** The client that the case uses when it does not matter which. */
  get main(): Promise<Transport> {
    this.#main ??= this.open()
    return this.#main
  }

  async open(): Promise<Transport> {
    const client = await this.harness.open()
    this.#clients.push(client)
    return client
  }

  /** A new topic with nothing in it. */
  async topic(hint: string, partitions = 1): Promise<string> {
    const name = this.harness.topicName(hint)
    await (await this.main).createTopics([defineTopic({ name, partitions })])
    return name
  }

  /** A gate that opens by itself when the case ends, so that what waits at it does not outlive the case. */
  gate(): Gate {
    const gate = createGate()
    this.#gates.push(gate)
    return gate
  }

  async send(...messages: RawMessage[]): Promise<void> {
    await (await this.main).send(messages)
  }

  /** Subscribes through `client`, without waiting for partitions. */
  async read(options: ReaderOptions, client?: Transport): Promise<Reader> {
    const reader = new Reader(options)
    reader.subscribed(await (client ?? (await this.main)).subscribe(reader.subscribeOptions))
    return reader
  }

  eventually<Result>(check: () => Result | Promise<Result>): Promise<Awaited<Result>> {
    return eventually(check, this.harness.patienceMs ?? 10_000)
  }

  /** Committed offsets of a group, as `partition:offset`. */
  async committed(group: string, topic: string): Promise<string[]> {
    const offsets = await (await this.main).committed(group, topic)
    return offsets.map(({ partition, offset }) => `${partition}:${offset}`)
  }

  /** Number of records that the topic holds, over all partitions. */
  async count(topic: string): Promise<number> {
    const partitions = await (await this.main).offsets(topic)
    return partitions.reduce((sum, { low, high }) => sum + Number(high - low), 0)
  }

  async end(): Promise<void> {
    for (const gate of this.#gates) gate.open()
    const closed = await Promise.allSettled(this.#clients.map((client) => client.close(5000)))
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }
}

/** Makes a case from what happens on a stage. */
export function conformanceCase(
  name: string,
  act: (stage: Stage) => Promise<void>,
  needs?: ConformanceCase['needs'],
): ConformanceCase {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    async run(harness) {
      const stage = new Stage(harness)
      try {
        await act(stage)
      } catch (error) {
        // The failure is the news; trouble in clearing up after it is not.
        await stage.end().catch(() => {})
        throw error
      }
      await stage.end()
    },
  }
}

/** A message with texts for bytes. */
export function message(topic: string, key: string | null, value: string | null, headers: RawMessage['headers'] = []) {
  return {
    topic,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers,
  } satisfies RawMessage
}

/** `count` messages of one key, with the values `first`, `first + 1`, … */
export function numbered(topic: string, key: string, count: number, first = 0): RawMessage[] {
  return Array.from({ length: count }, (_, i) => message(topic, key, String(first + i)))
}

/** A key whose place is `partition` when there are `partitions`. */
export function keyFor(partition: number, partitions: number): string {
  for (let i = 0; ; i++) {
    const key = `key${i}`
    if (partitionOf(Buffer.from(key), partitions) === partition) return key
  }
}
