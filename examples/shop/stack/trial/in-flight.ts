import pg from 'pg'
import {
  InventoryEvents,
  NotificationEvents,
  OrderEvents,
  PaymentEvents,
  ShippingEvents,
} from '../../contracts/index.ts'
import { databaseName, type ServiceName } from '../part.ts'
import { databaseUrl } from '../part-environment.ts'
import type { Witness } from './witness.ts'

/** Which topics each service takes in. */
const topicsOf: Readonly<Record<ServiceName, readonly string[]>> = {
  orders: [InventoryEvents.name, PaymentEvents.name, ShippingEvents.name, NotificationEvents.name],
  inventory: [OrderEvents.name, PaymentEvents.name],
  payments: [InventoryEvents.name],
  shipping: [PaymentEvents.name],
  notifications: [ShippingEvents.name, OrderEvents.name],
}

/** What a service had on its hands at the moment it was gone. */
export interface InFlight {
  /** Records that it had not committed yet: waiting, being handled, or handled a moment ago. */
  readonly uncommitted: readonly { readonly topic: string; readonly partition: number; readonly offset: bigint }[]
  /** The events whose effects it had committed to its database. */
  readonly handled: ReadonlySet<string>
  /** Events in its outbox that it had not sent yet. */
  readonly unsent: number
}

/** Reads from the broker and the service's database what it left behind. Only true while the service does not run. */
export async function readInFlight(service: ServiceName, witness: Witness, postgresUrl: string): Promise<InFlight> {
  const [uncommitted, database] = await Promise.all([
    readUncommitted(service, witness),
    withDatabase(databaseUrl(postgresUrl, databaseName(service)), async (client) => {
      const handled = await client.query<{ event_id: string }>('SELECT event_id FROM evtkit_inbox')
      const unsent = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM evtkit_outbox')
      return { handled: new Set(handled.rows.map((row) => row.event_id)), unsent: unsent.rows[0]?.count ?? 0 }
    }),
  ])
  return { uncommitted, ...database }
}

async function readUncommitted(service: ServiceName, { kafka }: Witness): Promise<InFlight['uncommitted']> {
  const perTopic = topicsOf[service].map(async (topic) => {
    const [committed, ends] = await Promise.all([kafka.committed(service, topic), kafka.offsets(topic)])
    return ends.flatMap(({ partition, low, high }) => {
      const first = committed.find((position) => position.partition === partition)?.offset ?? low
      return Array.from({ length: Number(high - first) }, (_, index) => ({
        topic,
        partition,
        offset: first + BigInt(index),
      }))
    })
  })
  return (await Promise.all(perTopic)).flat()
}

/** How many of the uncommitted records were handled already, so that the next process is given them once more. */
export function handledMoreThanOnce({ uncommitted, handled }: InFlight, witness: Witness): number {
  return uncommitted.filter(({ topic, partition, offset }) => {
    const eventId = witness.eventAt(topic, partition, offset)
    return eventId !== undefined && handled.has(eventId)
  }).length
}

/**
 * How many partitions begin, at their committed position, with a record that was handled: a service that ends in an orderly
 * way leaves none. Behind a record that it could not finish there may be handled ones, for positions know no gaps.
 */
export function partitionsLeftBehind({ uncommitted, handled }: InFlight, witness: Witness): number {
  const begun = new Set<string>()
  let left = 0
  // In the order of their offsets, as they were read.
  for (const { topic, partition, offset } of uncommitted) {
    const name = `${topic}/${partition}`
    if (begun.has(name)) continue
    begun.add(name)
    const eventId = witness.eventAt(topic, partition, offset)
    if (eventId !== undefined && handled.has(eventId)) left++
  }
  return left
}

/** Whether the service has anything to do at this moment. */
export async function isBusy(service: ServiceName, witness: Witness): Promise<boolean> {
  return (await readUncommitted(service, witness)).length > 0
}

/** Whether the service, while nothing new arrives, has nothing left to handle or to send. */
export async function isIdle(service: ServiceName, witness: Witness, postgresUrl: string): Promise<boolean> {
  if (await isBusy(service, witness)) return false
  return withDatabase(databaseUrl(postgresUrl, databaseName(service)), async (client) => {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM evtkit_outbox')
    return rows[0]?.count === 0
  })
}

/** Orders that were accepted and have not ended. */
export function countOutstanding(postgresUrl: string): Promise<number> {
  return withDatabase(databaseUrl(postgresUrl, databaseName('orders')), async (client) => {
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM orders WHERE status NOT IN ('shipped', 'cancelled')",
    )
    return rows[0]?.count ?? 0
  })
}

/** All orders by their id and status. */
export function readOrders(postgresUrl: string): Promise<ReadonlyMap<string, string>> {
  return withDatabase(databaseUrl(postgresUrl, databaseName('orders')), async (client) => {
    const { rows } = await client.query<{ order_id: string; status: string }>('SELECT order_id, status FROM orders')
    return new Map(rows.map((row) => [row.order_id, row.status]))
  })
}

async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
