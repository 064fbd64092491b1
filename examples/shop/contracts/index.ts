/** The contracts of the shop: what its services say to each other, and nothing else they share. Made from `schemas/`. */
import type { Envelope, EventDefinition } from '@evtkit/sdk'
import { allEvents as newestVersions } from './generated/index.ts'
import { PaymentFailed } from './payment-failed.ts'

export { type AboutOrder, isAboutOrder } from './about-order.ts'
export * from './generated/index.ts'
// Named, so it takes the place of the generated one, which does not read version 1.
export { failureReasonOf, PaymentFailed } from './payment-failed.ts'

/** Every event, with the older versions it reads. */
export const allEvents: readonly EventDefinition[] = [
  ...newestVersions.filter((event) => event.type !== PaymentFailed.type),
  PaymentFailed,
]

/** The envelope of an event, for functions that take one: `EventOf<typeof OrderCreated>`. */
export type EventOf<Definition extends EventDefinition> =
  Definition extends EventDefinition<infer Type, infer Data> ? Envelope<Type, Data> : never
