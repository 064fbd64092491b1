import type { Logger } from '@evtkit/sdk'
import type { KafkaTransport } from '@evtkit/sdk/kafka'
import type { Migrations, Sql } from '@evtkit/sdk/postgres'
import type { FastifyInstance } from 'fastify'
import type { PieceHealth } from '../../platform/service.ts'

/** What a program of the carts stands on. */
export interface CartGround {
  readonly sql: Sql
  readonly kafka: KafkaTransport
  readonly http: FastifyInstance
  readonly logger: Logger
}

/** One of the two programs. */
export interface CartPart {
  readonly migrations: readonly Migrations[]
  start(): Promise<void>
  close(deadlineMs: number): Promise<void>
  health(): PieceHealth[]
}
