/** What kind of promise a finding breaks. Each has a count in the report that must be 0. */
export const findingKinds = [
  'lost',
  'applied twice',
  'out of order',
  'unexplained',
  'books',
  'vacuous',
  'slow',
  'broken',
] as const
export type FindingKind = (typeof findingKinds)[number]

/** Something that must not be. */
export interface Finding {
  readonly kind: FindingKind
  /** Such as `order 0199…`. */
  readonly about: string
  readonly message: string
  /** Place of the scenario in the schedule, where it can be told. */
  readonly scenario: number | undefined
}
