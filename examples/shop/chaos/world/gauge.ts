import { type Admin, Kafka, logLevel } from 'kafkajs'
import pg from 'pg'
import { groups, readers } from '../readers.ts'

/** Longest wait for one answer. Milliseconds. */
const answerMs = 4000

/** Committed offsets by group and `topic/partition`. */
export type Positions = Record<string, Record<string, number>>

/**
 * Reads from the broker and the databases how much is left to do, by clients of its own that no fault is in the way of. What cannot
 * be asked, because it is down, is undefined.
 */
export class Gauge {
  readonly #kafka: Kafka
  readonly #databaseOf: (service: string) => string
  #admin: Promise<Admin> | undefined
  readonly #clients = new Map<string, pg.Client>()

  constructor(brokers: readonly string[], databaseOf: (service: string) => string) {
    this.#kafka = new Kafka({
      brokers: [...brokers],
      clientId: 'gauge',
      logLevel: logLevel.NOTHING,
      connectionTimeout: 1000,
      requestTimeout: answerMs,
      retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 200 },
    })
    this.#databaseOf = databaseOf
  }

  /** The broker's own tools, through this client. */
  get kafka(): Kafka {
    return this.#kafka
  }

  /** Committed offsets; 0 where nothing was committed. */
  async positions(of: readonly string[] = groups): Promise<Positions | undefined> {
    return this.#ask(async (admin) => {
      const found: Positions = {}
      await Promise.all(
        of.map(async (groupId) => {
          const topics = Object.keys(readers[groupId] ?? {})
          const committed = await admin.fetchOffsets({ groupId, topics })
          const own: Record<string, number> = {}
          for (const { topic, partitions } of committed)
            for (const { partition, offset } of partitions) own[`${topic}/${partition}`] = Math.max(0, Number(offset))
          found[groupId] = own
        }),
      )
      return found
    })
  }

  /** Ends and beginnings of the partitions. */
  async ends(topics: readonly string[]): Promise<Record<string, { low: number; high: number }> | undefined> {
    return this.#ask(async (admin) => {
      const found: Record<string, { low: number; high: number }> = {}
      await Promise.all(
        topics.map(async (topic) => {
          for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
            found[`${topic}/${partition}`] = { low: Number(low), high: Number(high) }
        }),
      )
      return found
    })
  }

  /** Records that each group has not committed yet. */
  async lag(of: readonly string[] = groups): Promise<Record<string, number> | undefined> {
    const topics = [...new Set(of.flatMap((group) => Object.keys(readers[group] ?? {})))]
    // Positions first: what is committed meanwhile then counts as not, and never the other way round.
    const positions = await this.positions(of)
    const ends = positions && (await this.ends(topics))
    if (positions === undefined || ends === undefined) return undefined
    const lag: Record<string, number> = {}
    for (const group of of) {
      lag[group] = 0
      for (const topic of Object.keys(readers[group] ?? {}))
        for (const [place, { low, high }] of Object.entries(ends))
          if (place.startsWith(`${topic}/`))
            lag[group] += Math.max(0, high - Math.max(low, positions[group]?.[place] ?? 0))
    }
    return lag
  }

  /** Events in the outbox of each service. */
  async unsent(services: readonly string[]): Promise<Record<string, number> | undefined> {
    const counts: Record<string, number> = {}
    for (const service of services) {
      const rows = await this.query(service, 'select count(*)::int as count from evtkit_outbox')
      if (rows === undefined) return undefined
      counts[service] = Number(rows[0]?.count ?? 0)
    }
    return counts
  }

  /** Events that wait in the parking of each group. */
  async parked(of: readonly string[]): Promise<Record<string, number> | undefined> {
    const counts: Record<string, number> = {}
    for (const group of of) {
      const rows = await this.query(
        group,
        "select count(*)::int as count from evtkit_failed_events where state = 'parked'",
      )
      if (rows === undefined) return undefined
      counts[group] = Number(rows[0]?.count ?? 0)
    }
    return counts
  }

  /** Orders that have not ended. */
  async openOrders(): Promise<number | undefined> {
    const rows = await this.query(
      'orders',
      "select count(*)::int as count from orders where status not in ('shipped', 'cancelled')",
    )
    return rows === undefined ? undefined : Number(rows[0]?.count ?? 0)
  }

  /** Rows of a service's database; undefined when it cannot be asked. */
  async query(service: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[] | undefined> {
    try {
      const client = this.#clients.get(service) ?? (await this.#connect(service))
      const { rows } = await client.query(text, values)
      return rows
    } catch {
      const broken = this.#clients.get(service)
      this.#clients.delete(service)
      await broken?.end().catch(() => {})
      return undefined
    }
  }

  async close(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined)
    await admin?.disconnect().catch(() => {})
    await Promise.all([...this.#clients.values()].map((client) => client.end().catch(() => {})))
  }

  async #connect(service: string): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#databaseOf(service),
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    })
    // Its server is killed now and then; the next question notices.
    client.on('error', () => this.#clients.delete(service))
    await client.connect()
    this.#clients.set(service, client)
    return client
  }

  /** Asks the broker; undefined when it does not answer in time. After a failure the next question connects anew. */
  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T | undefined> {
    this.#admin ??= this.#connectAdmin()
    const current = this.#admin
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer')), answerMs + 1000)
      })
      return await Promise.race([current.then(question), late])
    } catch {
      if (this.#admin === current) this.#admin = undefined
      void current.then((admin) => admin.disconnect()).catch(() => {})
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  async #connectAdmin(): Promise<Admin> {
    const admin = this.#kafka.admin()
    await admin.connect()
    return admin
  }
}
