/** Failed events: parked by key, or set aside for a human. The door `@evtkit/sdk/dead-letters`. */
export type { Parking, ParkingLimits, ParkingRetry, ParkingStats } from './parking.ts'
export { deadLetterMigrations } from './postgres-dead-letter-migrations.ts'
export { createParking, type ParkingOptions } from './postgres-parking.ts'
export { rejectedMigrations } from './postgres-rejected-migrations.ts'
export { type ListRejectedOptions, listRejected, rejectedStore } from './postgres-rejected-store.ts'
export type { RejectedRecord } from './rejected.ts'
