import { type Backoff, backoffMs } from '../core/backoff.ts'
import type { OutboxRow } from './outbox-row.ts'

interface Hold {
  readonly until: number
  readonly attempts: number
  readonly reason: string
}

/**
 * What is left alone for a while, longer each time: keys whose oldest row was not taken, and topics that the broker
 * refuses as a whole, so that their keys need not be tried one by one.
 */
export class HeldKeys {
  readonly #keys = new Map<number, Hold>()
  readonly #topics = new Map<string, Hold>()
  readonly #backoff: Backoff
  readonly #random: () => number

  constructor(backoff: Backoff, random: () => number) {
    this.#backoff = backoff
    this.#random = random
  }

  hold(key: number, now: number, reason: string): void {
    this.#keys.set(key, this.#next(this.#keys.get(key), now, reason))
  }

  holdTopic(topic: string, now: number, reason: string): void {
    this.#topics.set(topic, this.#next(this.#topics.get(topic), now, reason))
  }

  /** A row was taken, or is out of the way. */
  release({ keyHash, message: { topic } }: OutboxRow): void {
    this.#keys.delete(keyHash)
    this.#topics.delete(topic)
  }

  /** Forgets what was due at the time of a claim that found every row there is, and none of its. */
  forgetMissing(rows: readonly OutboxRow[], now: number): void {
    const keys = new Set(rows.map((row) => row.keyHash))
    for (const [key, { until }] of this.#keys) if (until <= now && !keys.has(key)) this.#keys.delete(key)
    const topics = new Set(rows.map((row) => row.message.topic))
    for (const [topic, { until }] of this.#topics) if (until <= now && !topics.has(topic)) this.#topics.delete(topic)
  }

  clear(): void {
    this.#keys.clear()
    this.#topics.clear()
  }

  /** Keys on their own. */
  get keys(): number {
    return this.#keys.size
  }

  get any(): boolean {
    return this.#keys.size + this.#topics.size > 0
  }

  /** Keys that are not due yet. */
  waiting(now: number): number[] {
    return waiting(this.#keys, now)
  }

  /** Topics that are not due yet. */
  waitingTopics(now: number): string[] {
    return waiting(this.#topics, now)
  }

  /** What waits and why, in a line; empty when nothing does. */
  get detail(): string {
    const parts: string[] = []
    const [topic] = this.#topics
    if (topic !== undefined) parts.push(`${this.#topics.size} topic(s) wait, "${topic[0]}" first: ${topic[1].reason}`)
    const [key] = this.#keys.values()
    if (key !== undefined) parts.push(`${this.#keys.size} key(s) wait: ${key.reason}`)
    return parts.join('; ')
  }

  #next(before: Hold | undefined, now: number, reason: string): Hold {
    const attempts = (before?.attempts ?? 0) + 1
    return { until: now + backoffMs(attempts, this.#random, this.#backoff), attempts, reason }
  }
}

function waiting<Name>(holds: ReadonlyMap<Name, Hold>, now: number): Name[] {
  const names: Name[] = []
  for (const [name, { until }] of holds) if (until > now) names.push(name)
  return names
}
