/**
 * One fact that happened, with its identity and who caused it: the value of a record, field for field.
 */
export interface Envelope<Type extends string = string, Data = unknown> {
  /** UUID version 7; the same on every attempt to deliver this fact. */
  readonly eventId: string
  readonly eventType: Type
  /** Such as `v1`. */
  readonly eventVersion: string
  /** ISO-8601 in UTC with milliseconds: when the fact was published. */
  readonly timestamp: string
  /** The service that published it. */
  readonly source: string
  /** The same for all facts that follow from one request. */
  readonly correlationId: string
  /** Id of the event that caused this one; `null` for the first of a chain. */
  readonly causationId: string | null
  readonly data: Data
  /** Who and where from, such as `userId` and `sessionId`; carried along a chain of causes. */
  readonly metadata: Readonly<Record<string, string>>
}
