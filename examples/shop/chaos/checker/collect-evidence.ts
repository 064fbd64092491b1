import { existsSync, readFileSync } from 'node:fs'
import type { DumpedRecord } from '@evtkit/local-stack'
import pg from 'pg'
import type { ChargeEntry, MailEntry } from '../../books/books.ts'
import { liveTopics } from '../readers.ts'
import type { Evidence, FailedRecord, LoggedRecord } from './evidence.ts'
import { readEvent } from './read-event.ts'

export interface EvidenceSources {
  /** A topic as Kafka's own tool reads it from the broker's files. */
  readonly dump: (topic: string) => Promise<readonly DumpedRecord[]>
  readonly databaseUrlOf: (service: string) => string
  /** Files of the world outside. */
  readonly outside: { readonly ledger: string; readonly mails: string }
}

type Row = Record<string, unknown>
type Read = (text: string) => Promise<Row[]>

/** The services that have an inbox, an outbox or both. */
const services = ['orders', 'inventory', 'payments', 'shipping', 'notifications', 'carts', 'cart-mirror']

/** Reads everything that a run left behind: the log by Kafka's own tool, the databases by SQL, nothing through the SDK. */
export async function collectEvidence({ dump, databaseUrlOf, outside }: EvidenceSources): Promise<Evidence> {
  const records: LoggedRecord[] = []
  for (const topic of liveTopics)
    for (const { partition, offset, timestamp, key, value } of await dump(topic))
      records.push({ topic, partition, offset, timestamp, key, value, event: readEvent(value) })
  const inbox: Evidence['inbox'][number][] = []
  const rejected: Evidence['rejected'][number][] = []
  const failed: FailedRecord[] = []
  const setAside: Evidence['setAside'][number][] = []
  const unsent: Evidence['unsent'][number][] = []
  let tables: Pick<
    Evidence,
    'orders' | 'orderKeys' | 'reservations' | 'stock' | 'carts' | 'mirror' | 'applied' | 'deliveries'
  > = {
    orders: [],
    orderKeys: [],
    reservations: [],
    stock: [],
    carts: [],
    mirror: [],
    applied: [],
    deliveries: [],
  }
  for (const service of services)
    await withDatabase(databaseUrlOf(service), async (read) => {
      tables = { ...tables, ...(await readOwnTables(service, read)) }
      const has = async (table: string) =>
        (await read(`select to_regclass('${table}') is not null as there`))[0]?.there === true
      if (await has('evtkit_inbox')) inbox.push(...(await readInbox(read)))
      if (await has('evtkit_failed_events')) {
        rejected.push(...(await readRejected(read)))
        failed.push(...(await readFailed(read)))
      }
      if (!(await has('evtkit_outbox'))) return
      const [left] = await read('select count(*)::int as count from evtkit_outbox')
      unsent.push({ service, count: Number(left?.count) })
      for (const row of await read('select topic, error_message from evtkit_outbox_set_aside'))
        setAside.push({ service, topic: String(row.topic), error: String(row.error_message) })
    })
  return {
    records,
    inbox,
    rejected,
    failed,
    setAside,
    unsent,
    ...tables,
    charges: readCharges(outside.ledger),
    mails: readMails(outside.mails),
  }
}

async function readOwnTables(service: string, read: Read): Promise<Partial<Evidence>> {
  switch (service) {
    case 'orders':
      return {
        orders: (await read('select order_id, customer_id, status, amount from orders')).map((row) => ({
          orderId: String(row.order_id),
          customerId: String(row.customer_id),
          status: String(row.status),
          amount: Number(row.amount),
        })),
        orderKeys: (await read('select customer_id, idempotency_key, order_id from order_keys')).map((row) => ({
          customerId: String(row.customer_id),
          idempotencyKey: String(row.idempotency_key),
          orderId: String(row.order_id),
        })),
      }
    case 'inventory':
      return {
        reservations: (await read('select order_id, state from reservations')).map((row) => ({
          orderId: String(row.order_id),
          state: String(row.state),
        })),
        stock: (await read('select sku, on_hand, reserved from stock')).map((row) => ({
          sku: String(row.sku),
          onHand: Number(row.on_hand),
          reserved: Number(row.reserved),
        })),
      }
    case 'carts':
      return { carts: (await read('select cart_id, pieces from carts')).map(readCart) }
    case 'cart-mirror':
      return {
        mirror: (await read('select cart_id, pieces from mirror')).map(readCart),
        applied: (await read('select cart_id, pieces, event_id from applied order by seq')).map((row) => ({
          ...readCart(row),
          eventId: String(row.event_id),
        })),
        deliveries: (
          await read(
            'select event_id, extract(epoch from delivered_at) * 1000 as at from deliveries order by delivered_at',
          )
        ).map((row) => ({ eventId: String(row.event_id), at: Number(row.at) })),
      }
    default:
      return {}
  }
}

function readCart(row: Row): { cartId: string; pieces: number } {
  return { cartId: String(row.cart_id), pieces: Number(row.pieces) }
}

async function readInbox(read: Read): Promise<Evidence['inbox'][number][]> {
  const rows = await read(
    'select consumer_group, event_id, handler, extract(epoch from handled_at) * 1000 as at from evtkit_inbox',
  )
  return rows.map((row) => ({
    group: String(row.consumer_group),
    eventId: String(row.event_id),
    handler: String(row.handler),
    handledAt: Number(row.at),
  }))
}

/** The errors that mean that a record could not be read or is not known, and not that its handler failed. */
const rejections = `'{EVT_UNDECODABLE_RECORD,EVT_UNKNOWN_EVENT,EVT_INVALID_RECORD,EVT_UNKNOWN_SCHEMA}'::text[]`

async function readRejected(read: Read): Promise<Evidence['rejected'][number][]> {
  const rows = await read(
    `select consumer_group, topic, partition, record_offset, error_code, error_message
       from evtkit_failed_events where state = 'dead' and error_code = any(${rejections})`,
  )
  return rows.map((row) => ({
    group: String(row.consumer_group),
    topic: String(row.topic),
    partition: Number(row.partition),
    offset: Number(row.record_offset),
    reason: `${String(row.error_code)}: ${String(row.error_message)}`,
  }))
}

async function readFailed(read: Read): Promise<FailedRecord[]> {
  const rows = await read(
    `select consumer_group, topic, partition, record_offset, state, error_code, error_message
       from evtkit_failed_events where state = 'parked' or state = 'dead' and error_code <> all(${rejections})`,
  )
  return rows.map((row) => ({
    group: String(row.consumer_group),
    topic: String(row.topic),
    partition: Number(row.partition),
    offset: Number(row.record_offset),
    state: row.state === 'dead' ? 'dead' : 'parked',
    reason: `${String(row.error_code)}: ${String(row.error_message)}`,
  }))
}

async function withDatabase(url: string, work: (read: Read) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await work(async (text) => (await client.query<Row>(text)).rows)
  } finally {
    await client.end()
  }
}

/** The provider's ledger, one line for each change: the last one of a charge tells how it stands. */
function readCharges(file: string): ChargeEntry[] {
  const charges = new Map<string, ChargeEntry>()
  // Safe: lines of the ledger, which its own reader checks.
  for (const { charge } of readLines(file) as { readonly charge: ChargeEntry }[]) charges.set(charge.chargeId, charge)
  return [...charges.values()]
}

/** Each distinct mail once. */
function readMails(file: string): MailEntry[] {
  // Safe: as above.
  const mails = readLines(file) as MailEntry[]
  return [...new Map(mails.map((mail) => [mail.messageId, mail])).values()]
}

function readLines(file: string): unknown[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line)]
      } catch {
        // Cut off by a crash: nobody was told that it was kept.
        return []
      }
    })
}
