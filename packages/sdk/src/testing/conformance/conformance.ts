/** What a suite for a port consists of, independent of any test runner. */
import type { Transport } from '../../core/transport.ts'

/** Something that not every implementation can do, or not every environment can provoke. */
export type Ability = 'lose-responses'

/** One thing that every implementation of a port must do. */
export interface ConformanceCase {
  /** The behaviour, as a sentence. */
  readonly name: string
  /** What the case cannot do without, and why. */
  readonly needs?: { readonly ability: Ability; readonly because: string }
  /** Rejects when the behaviour is not there. */
  run(harness: ConformanceHarness): Promise<void>
}

/** A record as the broker's own log shows it, not as a client reads it. */
export interface DumpedRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  /** In order, repeated ones included. */
  readonly headerKeys: readonly string[]
}

/** Gives a suite the implementation to test. */
export interface ConformanceHarness {
  readonly abilities: ReadonlySet<Ability>
  /**
   * How long the broker believes in a member that is silent. A transport without sessions names any short time.
   * Milliseconds.
   */
  readonly sessionMs: number
  /** How long to wait for what must happen. Milliseconds. @default 10000 */
  readonly patienceMs?: number
  /** A client of its own of one and the same broker; closed by the suite. */
  open(): Promise<Transport>
  /** A topic name that no other case uses. */
  topicName(hint: string): string
  /** What the log really holds, partition by partition. */
  dump(topic: string): Promise<readonly DumpedRecord[]>
  /** Makes the answer to the next produce request disappear, after the broker has written it. */
  loseNextProduceResponse?(): void | Promise<void>
}
