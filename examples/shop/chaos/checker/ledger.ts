import type { HistoryEvent, Outcome } from '../history.ts'

type Of<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { readonly kind: Kind }>

/** A wish with how it ended. */
export interface Operation {
  readonly begun: Of<'begun'>
  /** `info` for one that has no end: nobody was there any more to hear it. */
  readonly outcome: Outcome
  readonly answer: string | number | undefined
}

/** A history, looked up in the ways the checks need. */
export class Ledger {
  readonly events: readonly HistoryEvent[]
  readonly operations: readonly Operation[]
  readonly #starts: readonly { readonly at: number; readonly scenario: number }[]

  constructor(events: readonly HistoryEvent[]) {
    this.events = events
    const ends = new Map(this.of('ended').map((event) => [event.op, event]))
    this.operations = this.of('begun').map((begun) => {
      const end = ends.get(begun.op)
      return { begun, outcome: end?.outcome ?? 'info', answer: end?.answer }
    })
    this.#starts = this.of('scenario').map(({ at, scenario }) => ({ at, scenario }))
  }

  of<Kind extends HistoryEvent['kind']>(kind: Kind): Of<Kind>[] {
    return this.events.filter((event): event is Of<Kind> => event.kind === kind)
  }

  /** The scenario that was under way then. */
  scenarioAt(at: number): number | undefined {
    return this.#starts.findLast((start) => start.at <= at)?.scenario
  }
}
