import { appendFileSync, readFileSync } from 'node:fs'
import type { LiveWork } from './live-work.ts'

/** What a client asked for. */
export type Wish =
  | { readonly wish: 'order'; readonly customerId: string; readonly idempotencyKey: string; readonly index: number }
  | { readonly wish: 'piece'; readonly cartId: string }

/** How a wish ended: done, surely not done, or nobody knows. */
export type Outcome = 'ok' | 'fail' | 'info'

/** One line of a run's history. `at` is in milliseconds since the epoch, `scenario` the place in the schedule. */
export type HistoryEvent = { readonly at: number; readonly scenario: number } & (
  | {
      readonly kind: 'scenario'
      readonly name: string
      readonly faults: readonly string[]
      readonly boundMs: number
      readonly plan: unknown
    }
  | ({ readonly kind: 'begun'; readonly op: number } & Wish)
  | {
      readonly kind: 'ended'
      readonly op: number
      readonly outcome: Outcome
      /** The order's id, or how many pieces the cart has. */
      readonly answer?: string | number
      readonly attempts: number
    }
  | {
      readonly kind: 'fault'
      readonly fault: number
      readonly what: string
      readonly target: string
      /** What was on the way when it struck. */
      readonly live: LiveWork
      /** Committed offsets by group and `topic/partition`, of whoever was killed. */
      readonly positions?: Readonly<Record<string, Readonly<Record<string, number>>>>
    }
  | {
      readonly kind: 'healed'
      readonly fault: number
      /** The most that was on the way while it lasted. */
      readonly live: LiveWork
      /** How often it struck, where that can be counted. */
      readonly struck?: number
    }
  | { readonly kind: 'recovered'; readonly afterMs: number; readonly left?: string }
  | {
      readonly kind: 'injected'
      readonly what: 'copy'
      readonly topic: string
      readonly partition: number
      readonly offset: number
    }
  | {
      readonly kind: 'injected'
      readonly what: 'poison'
      readonly poison: string
      readonly topic: string
      readonly partition: number
      readonly offset: number
      /** The groups that must have set it aside. */
      readonly groups: readonly string[]
    }
  /** Records that were removed from the log on purpose before a group had read them. */
  | {
      readonly kind: 'truncated'
      readonly topic: string
      readonly partition: number
      readonly from: number
      readonly to: number
      readonly group: string
      /** The pieces that they told of. */
      readonly pieces: readonly { readonly cartId: string; readonly pieces: number }[]
    }
  | {
      readonly kind: 'exit'
      readonly program: string
      readonly code: number | null
      readonly signal: string | null
      readonly asked: boolean
    }
  /** Something that was promised and did not come about, seen while the run went on. */
  | { readonly kind: 'broken'; readonly promise: string }
  | { readonly kind: 'note'; readonly text: string }
)

/** An event without what the history adds by itself. */
export type HistoryEntry = HistoryEvent extends infer Event
  ? Event extends HistoryEvent
    ? Omit<Event, 'at' | 'scenario'>
    : never
  : never

/** The history of a run, one line of JSON for each event in a file, from which it can be judged later. */
export class History {
  readonly file: string
  readonly #events: HistoryEvent[] = []
  #scenario = 0

  constructor(file: string) {
    this.file = file
  }

  get events(): readonly HistoryEvent[] {
    return this.#events
  }

  /** What is noted from now on belongs to the scenario at this place of the schedule. */
  enter(scenario: number): void {
    this.#scenario = scenario
  }

  note(entry: HistoryEntry, scenario = this.#scenario): void {
    // Safe: the two fields that were left out are these.
    const event = { at: Date.now(), scenario, ...entry } as HistoryEvent
    this.#events.push(event)
    appendFileSync(this.file, `${JSON.stringify(event)}\n`)
  }
}

/** Reads a history back. A last line that a crash cut off is left out. */
export function readHistory(file: string): HistoryEvent[] {
  const events: HistoryEvent[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      // Safe: written by `History`.
      if (line !== '') events.push(JSON.parse(line) as HistoryEvent)
    } catch {
      break
    }
  }
  return events
}
