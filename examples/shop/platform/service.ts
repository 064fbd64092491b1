import type { EventDefinition } from '@evtkit/sdk'
import type { Migrations } from '@evtkit/sdk/postgres'
import type { Platform, ServicePlatform } from './platform.ts'

/** Everything of the shop that runs on its own, in one process or in a process each. */
export const partNames = [
  'gateway',
  'orders',
  'inventory',
  'payments',
  'shipping',
  'notifications',
  'payment-provider',
  'mail-sink',
] as const
export type PartName = (typeof partNames)[number]

/** A part that owns no data of the shop: the gateway, and the stand-ins for the outside world. */
export interface Part {
  readonly kind: 'part'
  readonly name: PartName
  /** Puts it together, routes included, without doing anything yet. */
  create(platform: Platform): RunningPart
}

/** A service: owns a database, and speaks to the others in facts. */
export interface Service {
  readonly kind: 'service'
  readonly name: PartName
  /** Its own tables. Those of outbox, inbox and rejected records are the platform's business. */
  readonly migrations: Migrations
  /** The facts it publishes; that they can be written is made sure of before it starts. */
  readonly publishes: readonly EventDefinition[]
  /** Puts it together, routes included, without doing anything yet. */
  create(platform: ServicePlatform): RunningService
}

/** A part that has been put together. */
export interface RunningPart {
  /** Begins to work; database and broker are there by now. */
  start(): Promise<void>
  /** Finishes what is under way and stops. Its HTTP server, database and broker are closed by the platform, afterwards. */
  close(deadlineMs: number): Promise<void>
  /** How each of its moving pieces is doing. */
  health(): readonly PieceHealth[]
}

/** A service that has been put together. */
export interface RunningService extends RunningPart {
  /** The facts it has handlers for. */
  readonly handles: readonly EventDefinition[]
}

/** How one piece of a part is doing. */
export interface PieceHealth {
  /** Such as `consumer`. */
  readonly piece: string
  readonly ready: boolean
  /** One line for a person; empty when all is well. */
  readonly detail: string
}
