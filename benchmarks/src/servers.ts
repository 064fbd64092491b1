import { setTimeout as sleep } from 'node:timers/promises'
import { type KafkaServer, type PostgresServer, startKafka, startPostgres } from '@evtkit/local-stack'
import { Kafka, logLevel } from 'kafkajs'
import pg from 'pg'

/** The broker and the database of a run. Each is started when the first case asks for it. */
export interface Servers {
  /** `host:port` of every broker. */
  brokers(): Promise<string[]>
  /** A kafkajs as its users set it up: its defaults, without its log lines. */
  kafkajs(): Promise<Kafka>
  /** URL of an empty database that lives as long as the run. */
  databaseUrl(): Promise<string>
  close(): Promise<void>
}

export interface ServersOptions {
  /** Existing brokers, `host:port` separated by commas. */
  readonly kafkaBrokers?: string | undefined
  /** URL of an existing PostgreSQL whose user may create databases. */
  readonly databaseUrl?: string | undefined
  readonly progress: (line: string) => void
}

export function createServers(options: ServersOptions): Servers {
  return new RunServers(options)
}

class RunServers implements Servers {
  readonly #options: ServersOptions
  #brokers: Promise<string[]> | undefined
  #databaseUrl: Promise<string> | undefined
  readonly #closers: (() => Promise<void>)[] = []

  constructor(options: ServersOptions) {
    this.#options = options
  }

  brokers(): Promise<string[]> {
    this.#brokers ??= this.#findBrokers()
    return this.#brokers
  }

  async kafkajs(): Promise<Kafka> {
    return new Kafka({ clientId: 'benchmark-peer', brokers: await this.brokers(), logLevel: logLevel.NOTHING })
  }

  databaseUrl(): Promise<string> {
    this.#databaseUrl ??= this.#makeDatabase()
    return this.#databaseUrl
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }

  async #findBrokers(): Promise<string[]> {
    const { kafkaBrokers, progress } = this.#options
    if (kafkaBrokers) return kafkaBrokers.split(',')
    const kafka: KafkaServer = await startKafka({ heapMegabytes: 1024, progress })
    this.#closers.push(() => kafka.stop())
    return [...kafka.brokers]
  }

  async #makeDatabase(): Promise<string> {
    const server = this.#options.databaseUrl || (await this.#startPostgres())
    await requireDurable(server)
    const name = `benchmark_${process.pid}`
    await execute(server, `CREATE DATABASE ${name}`)
    this.#closers.push(() => dropDatabase(server, name))
    const url = new URL(server)
    url.pathname = `/${name}`
    return url.href
  }

  async #startPostgres(): Promise<string> {
    const { progress } = this.#options
    const postgres: PostgresServer = await startPostgres({
      durable: true,
      settings: { shared_buffers: '512MB', max_wal_size: '4GB' },
      progress,
    })
    this.#closers.push(() => postgres.stop())
    return postgres.url
  }
}

/** A figure that a power cut would take back is no figure. */
async function requireDurable(url: string): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const value = await execute(url, `SHOW ${setting}`)
    if (value !== 'on') throw new Error(`the benchmarks need a PostgreSQL with ${setting} = on, this one has ${value}`)
  }
}

/** A pool that has ended may still be saying goodbye; a connection cut in the middle of that would end this process. */
async function dropDatabase(url: string, name: string): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const connections = await execute(url, `SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = '${name}'`)
    if (connections === 0) break
    await sleep(20)
  }
  await execute(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

async function execute(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement)
    return Object.values(rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}
