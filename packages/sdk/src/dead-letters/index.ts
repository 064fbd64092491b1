/** Failed events: parked by key, or dead and waiting for a decision. The door `@evtkit/sdk/dead-letters`. */
export type {
  DeadLetter,
  DeadLetterDetails,
  DeadLetterEdit,
  DeadLetterFilter,
  DeadLetterOperation,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterState,
  Decision,
} from './dead-letter.ts'
export type { DeadLetters, EditOptions, RedriveDecision } from './dead-letters.ts'
export type { ParkedHead, ParkedKey, ParkedKeyFilter, ParkedKeyPage, ParkedKeyQuery } from './parked-key.ts'
export type { Parking, ParkingLimits, ParkingRetry, ParkingStats } from './parking.ts'
export { deadLetterMigrations } from './postgres-dead-letter-migrations.ts'
export { createDeadLetters, type DeadLettersOptions } from './postgres-dead-letters.ts'
export { createParking, type ParkingOptions } from './postgres-parking.ts'
export type { PlanCount, PlannedEvent, RedrivePlan, RedriveResult } from './redrive.ts'
