import type { Envelope, EventDefinition } from '@evtkit/sdk'
import type { BookFact } from './books.ts'

/** The facts of one event, with its data's type. */
export function factsOf<Type extends string, Data>(
  facts: readonly BookFact[],
  event: EventDefinition<Type, Data>,
): Envelope<Type, Data>[] {
  // The facts were read by a consumer that has validated each against the definition of its type.
  return facts.filter((fact) => fact.eventType === event.type) as unknown as Envelope<Type, Data>[]
}
