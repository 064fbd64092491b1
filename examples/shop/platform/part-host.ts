import {
  type Clock,
  type Closables,
  closeInOrder,
  type EventDefinition,
  type Logger,
  type Sender,
  type Transport,
} from '@evtkit/sdk'
import { deadLetterMigrations } from '@evtkit/sdk/dead-letters'
import { effectsMigrations } from '@evtkit/sdk/effects'
import { inboxMigrations } from '@evtkit/sdk/inbox'
import { outboxMigrations } from '@evtkit/sdk/outbox'
import { migrate, type Sql } from '@evtkit/sdk/postgres'
import { verifyTopics } from '@evtkit/sdk/topics'
import type { FastifyInstance } from 'fastify'
import { allTopics } from '../contracts/index.ts'
import type { Fetch } from './fetch.ts'
import { addHealthRoutes } from './health-routes.ts'
import { createHttpServer } from './http-server.ts'
import { keepTrying } from './keep-trying.ts'
import type { Platform } from './platform.ts'
import type { Part, PartName, PieceHealth, RunningPart, RunningService, Service } from './service.ts'
import type { Settings } from './settings.ts'
import { jsonWire, type Wire } from './wire.ts'

export interface PartHostOptions {
  readonly part: Part | Service
  readonly logger: Logger
  readonly clock: Clock
  readonly settings: Settings
  readonly fetchFrom: (part: PartName) => Fetch
  /** Opened for services only. */
  readonly openDatabase: () => Sql
  readonly openBroker: () => Transport
  /** @default JSON */
  readonly openWire?: () => Wire
  /** Whether topics that are missing are made, which suits a broker of its own, or only missed. @default 'create' */
  readonly topics?: 'create' | 'verify'
  /** Put around the sender that the service's relay sends to, such as one that repeats records. @default nothing */
  readonly aroundSender?: (sender: Sender) => Sender
}

/** What a service has and other parts have not. */
interface Edge {
  readonly service: Service
  readonly running: RunningService
  readonly sql: Sql
  readonly transport: Transport
  readonly wire: Wire
}

/** Gives one part its ground: an HTTP server with health, and for a service its database and the broker. */
export class PartHost {
  readonly #options: PartHostOptions
  readonly #http: FastifyInstance
  readonly #running: RunningPart
  readonly #edge: Edge | undefined
  readonly #stop = new AbortController()
  /** What is still waited for at the start, and why. */
  readonly #awaited = new Map<string, string>()
  #state: 'new' | 'starting' | 'running' | 'closed' = 'new'

  constructor(options: PartHostOptions) {
    this.#options = options
    const { part, logger, clock, settings, fetchFrom } = options
    this.#http = createHttpServer(logger)
    addHealthRoutes(this.#http, { started: () => this.#state === 'running', pieces: () => this.health() })
    const platform: Platform = { logger, clock, settings, http: this.#http, fetchFrom }
    if (part.kind === 'service') {
      const sql = options.openDatabase()
      const transport = options.openBroker()
      const wire = options.openWire?.() ?? jsonWire()
      const sender = options.aroundSender?.(transport) ?? transport
      const running = part.create({ ...platform, sql, sender, source: transport, codec: wire.codec })
      this.#edge = { service: part, running, sql, transport, wire }
      this.#running = running
    } else {
      this.#running = part.create(platform)
    }
  }

  get name(): PartName {
    return this.#options.part.name
  }

  get http(): FastifyInstance {
    return this.#http
  }

  /** Listens on a port of this computer. Resolves with the base URL. */
  listen(port: number): Promise<string> {
    return this.#http.listen({ port, host: '127.0.0.1' })
  }

  /** Waits for database and broker, brings its tables up to date, makes or misses topics, looks its schemas up, and begins to work. */
  async start(): Promise<void> {
    this.#state = 'starting'
    if (this.#edge !== undefined) {
      const { service, sql, transport, wire, running } = this.#edge
      const own = [outboxMigrations, inboxMigrations, effectsMigrations, deadLetterMigrations]
      const migrations = [...own, service.migrations]
      await Promise.all([
        this.#await('database', () => migrate(sql, migrations)),
        this.#await('broker', () =>
          this.#options.topics === 'verify'
            ? verifyTopics(transport, topicsOf([...service.publishes, ...running.handles]), 'evt topics apply')
            : transport.createTopics(allTopics),
        ),
        this.#await('schemas', () => wire.prepare(service.publishes)),
      ])
    }
    this.#stop.signal.throwIfAborted()
    await this.#running.start()
    if (this.#state === 'starting') this.#state = 'running'
  }

  /**
   * Takes no more requests, finishes what is under way, and lets go of everything, within the deadline.
   *
   * @throws CloseDeadlineError when work was abandoned.
   */
  async close(deadlineMs: number): Promise<void> {
    if (this.#state === 'closed') return
    this.#stop.abort(new Error(`${this.name} was closed`))
    const { clock } = this.#options
    const parts: Closables = {
      http: { close: (ms) => this.#closeHttp(ms) },
      [this.name]: this.#running,
      broker: this.#edge?.transport,
      database: this.#edge?.sql,
      schemas: this.#edge?.wire,
    }
    try {
      await closeInOrder(parts, deadlineMs, { clock })
    } finally {
      this.#state = 'closed'
    }
  }

  /** Requests under way get half of the time: whoever asked asks again, and the events need the rest. */
  async #closeHttp(deadlineMs: number): Promise<void> {
    const overdue = this.#options.clock.after(deadlineMs / 2, () => this.#http.server.closeAllConnections())
    await this.#http.close()
    overdue.cancel()
  }

  async health(): Promise<PieceHealth[]> {
    const awaited = [...this.#awaited].map(([piece, detail]) => ({ piece, ready: false, detail }))
    if (this.#state === 'new' || awaited.length > 0) return awaited
    const pieces = this.#running.health().map(({ piece, ready, detail }) => ({ piece, ready, detail }))
    return this.#edge === undefined ? pieces : [await databaseHealth(this.#edge.sql), ...pieces]
  }

  async #await(what: string, attempt: () => Promise<unknown>): Promise<void> {
    const { logger, clock } = this.#options
    this.#awaited.set(what, 'not reached yet')
    await keepTrying(attempt, {
      what,
      logger,
      clock,
      signal: this.#stop.signal,
      onFailure: (error) => this.#awaited.set(what, error.message),
    })
    this.#awaited.delete(what)
  }
}

function topicsOf(events: readonly EventDefinition[]) {
  return [...new Map(events.map(({ topic }) => [topic.name, topic])).values()]
}

async function databaseHealth(sql: Sql): Promise<PieceHealth> {
  try {
    await sql.query('select 1')
    return { piece: 'database', ready: true, detail: '' }
  } catch (error) {
    return { piece: 'database', ready: false, detail: error instanceof Error ? error.message : String(error) }
  }
}
