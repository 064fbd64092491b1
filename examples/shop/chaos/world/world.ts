import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  findFreePort,
  type KafkaServer,
  type PostgresServer,
  type Progress,
  startKafka,
  startPostgres,
} from '@evtkit/local-stack'
import { createDatabases } from '../../stack/databases.ts'
import { databaseName, isService, type PartName, partNames } from '../../stack/part.ts'
import { databaseUrl, partEnvironment } from '../../stack/part-environment.ts'
import { type StackFolder, stackFolder } from '../../stack/stack-folder.ts'
import { StateFile } from '../../stack/stack-state.ts'
import { applyTopics } from '../../stack/topics.ts'
import type { History } from '../history.ts'
import { type BuiltPrograms, buildPrograms } from './built-programs.ts'
import { Gauge } from './gauge.ts'
import { PostgresLink } from './postgres-link.ts'
import { Program } from './program.ts'

/** The programs that read or write facts: all that a fault can meet at work. */
export const workers = ['orders', 'inventory', 'payments', 'shipping', 'notifications', 'carts', 'cart-mirror'] as const
export type WorkerName = (typeof workers)[number]

/** The workers that have an outbox. */
export const senders = ['orders', 'inventory', 'payments', 'shipping', 'notifications', 'carts'] as const

/** The workers that are a consumer group. */
export const consumers = ['orders', 'inventory', 'payments', 'shipping', 'notifications', 'cart-mirror'] as const

const readyPollMs = 100

export interface WorldOptions {
  readonly folder: string
  readonly history: History
  readonly progress: Progress
}

/**
 * The shop as it runs in earnest, each part a process of its own on a Kafka and a PostgreSQL of its own, with a network in
 * between that fails on command.
 */
export class World {
  readonly kafka: KafkaServer
  readonly postgres: PostgresServer
  readonly link: PostgresLink
  readonly gauge: Gauge
  readonly folder: StackFolder
  readonly #built: BuiltPrograms
  readonly #history: History
  readonly #progress: Progress
  readonly #state: StateFile
  readonly #programs = new Map<string, Program>()

  private constructor(
    { folder, history, progress }: WorldOptions,
    ground: { programs: BuiltPrograms; kafka: KafkaServer; postgres: PostgresServer; link: PostgresLink },
  ) {
    this.#built = ground.programs
    this.kafka = ground.kafka
    this.postgres = ground.postgres
    this.link = ground.link
    this.folder = stackFolder(folder)
    this.#history = history
    this.#progress = progress
    this.#state = new StateFile(this.folder.stateFile)
    this.gauge = new Gauge(ground.kafka.brokers, (name) => this.databaseUrlOf(name))
  }

  /** Starts everything and resolves once all programs are ready. */
  static async start(options: WorldOptions): Promise<World> {
    const { folder, progress } = options
    mkdirSync(folder, { recursive: true })
    const [programs, kafka, postgres] = await Promise.all([
      buildPrograms(),
      // A busy computer must not be taken for a broker that does not come back.
      startKafka({ dataDir: join(folder, 'kafka'), proxy: true, progress, startTimeoutMs: 150_000 }),
      // Whoever is killed here is a process, not the computer: what was written survives without being flushed to the disk.
      startPostgres({
        dataDir: join(folder, 'postgres'),
        progress,
        settings: { fsync: 'off', full_page_writes: 'off' },
      }),
    ])
    const world = new World(options, { programs, kafka, postgres, link: await PostgresLink.open(postgres.port) })
    try {
      await world.#prepare()
      for (const program of world.#programs.values()) program.start()
      await world.untilReady(120_000)
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  /** @throws Error for a name that no program has */
  program(name: string): Program {
    const program = this.#programs.get(name)
    if (program === undefined) throw new Error(`there is no program "${name}" in this world`)
    return program
  }

  get programs(): readonly Program[] {
    return [...this.#programs.values()]
  }

  /** A second process of a worker, with a port of its own and everything else in common. Not started. */
  async second(name: WorkerName): Promise<Program> {
    const second = `${name}#2`
    const known = this.#programs.get(second)
    if (known !== undefined) return known
    const program = this.#program(second, name, await findFreePort())
    this.#programs.set(second, program)
    return program
  }

  /** Forgets a second process that has ended. */
  dismiss(name: string): void {
    this.#programs.delete(name)
  }

  /** The database of a worker, without a fault in between. */
  databaseUrlOf(name: string): string {
    return databaseUrl(this.postgres.url, databaseOf(name))
  }

  /** Where the outside world keeps what it was told. */
  get outside(): { readonly ledger: string; readonly mails: string } {
    return { ledger: join(this.folder.outside, 'ledger'), mails: join(this.folder.outside, 'mails') }
  }

  /** Resolves when every program is ready; with the name and reason of one that is not when the time is over. */
  async unready(withinMs: number): Promise<string | undefined> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const reasons = await Promise.all(
        this.programs.map(async (program) => {
          const reason = await program.unreadiness()
          return reason === undefined ? undefined : `${program.name} is not ready: ${reason}`
        }),
      )
      const first = reasons.find((reason) => reason !== undefined)
      if (first === undefined || performance.now() > deadline) return first
      await sleep(readyPollMs)
    }
  }

  async untilReady(withinMs: number): Promise<void> {
    const left = await this.unready(withinMs)
    if (left !== undefined) throw new Error(`after ${withinMs} ms ${left}; logs are in ${this.folder.logs}`)
  }

  async close(): Promise<void> {
    this.kafka.proxy?.heal()
    this.link.heal()
    await Promise.all(this.programs.map((program) => program.end('SIGKILL')))
    await this.gauge.close()
    await this.link.close()
    await Promise.all([this.kafka.stop(), this.postgres.stop(), this.#built.remove()])
  }

  async #prepare(): Promise<void> {
    mkdirSync(this.folder.logs, { recursive: true })
    mkdirSync(this.folder.outside, { recursive: true })
    const server = { origin: 'external', running: true, restarts: 0 } as const
    const link = new URL(this.postgres.url)
    link.port = String(this.link.port)
    this.#state.change({
      kafka: { ...server, address: this.kafka.proxiedBrokers.join(',') },
      postgres: { ...server, address: link.href },
    })
    for (const name of partNames)
      this.#state.changePart(name, {
        port: await findFreePort(),
        restarts: 0,
        ...(name === 'mail-sink' && { smtpPort: await findFreePort() }),
      })
    await Promise.all([
      createDatabases(this.postgres.url, this.#progress).then(async () => {
        for (const name of ['carts', 'cart-mirror']) await this.postgres.createDatabase(databaseOf(name))
      }),
      applyTopics({
        folder: this.folder,
        state: this.#state,
        progress: this.#progress,
        program: { file: this.#built.shop, environment: {} },
      }),
    ])
    for (const name of partNames) this.#programs.set(name, this.#program(name, name, this.#state.part(name)?.port ?? 0))
    for (const name of ['carts', 'cart-mirror'])
      this.#programs.set(name, this.#program(name, name, await findFreePort()))
  }

  #program(name: string, role: string, port: number): Program {
    const part = asPart(role)
    return new Program({
      name,
      preload: this.#built.endWithParent,
      file: part === undefined ? this.#built.carts : this.#built.shop,
      argument: role,
      port,
      environment: {
        ...(part === undefined ? this.#cartEnvironment(role) : this.#environment(part)),
        PORT: String(port),
      },
      logFile: join(this.folder.logs, `${name}.log`),
      onExit: (exit) =>
        this.#history.note({ kind: 'exit', program: name, code: exit.code, signal: exit.signal, asked: exit.asked }),
    })
  }

  #environment(part: PartName): Record<string, string> {
    return partEnvironment(part, this.#state.state, this.folder)
  }

  #cartEnvironment(name: string): Record<string, string> {
    const { kafka, postgres } = this.#state.state
    return {
      KAFKA_BROKERS: kafka?.address ?? '',
      SHOP_DATABASE_URL: databaseUrl(postgres?.address ?? '', databaseOf(name)),
    }
  }
}

function asPart(name: string): PartName | undefined {
  return partNames.find((part) => part === name)
}

function databaseOf(name: string): string {
  const part = asPart(name)
  return part !== undefined && isService(part) ? databaseName(part) : `chaos_${name.replaceAll('-', '_')}`
}
