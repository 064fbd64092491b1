import type { Clock, Codec, Logger, Sender, Source } from '@evtkit/sdk'
import type { Sql } from '@evtkit/sdk/postgres'
import type { FastifyInstance } from 'fastify'
import type { Fetch } from './fetch.ts'
import type { PartName } from './service.ts'
import type { Settings } from './settings.ts'

/** What any part of the shop stands on. */
export interface Platform {
  readonly logger: Logger
  readonly clock: Clock
  readonly settings: Settings
  /** The part's HTTP server; routes are added before it listens. */
  readonly http: FastifyInstance
  /** Speaks HTTP with another part, wherever that runs. */
  fetchFrom(part: PartName): Fetch
}

/** What a service stands on besides: a database of its own, and both ends of the broker and what goes over it. */
export interface ServicePlatform extends Platform {
  readonly sql: Sql
  readonly sender: Sender
  readonly source: Source
  /** What it publishes with, and reads with. */
  readonly codec: Codec
}
