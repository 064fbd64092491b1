import { createProducer, fact, type RawMessage } from '@evtkit/sdk'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Sql, Tx } from '@evtkit/sdk/postgres'
import type { Pool } from 'pg'
import { defineOrderPlaced, defineOrderTopic, order } from '../order-event.ts'
import { recordOf } from '../order-record.ts'

/** One database with our outbox and a peer's in it. */
export interface OutboxWorld {
  readonly databaseUrl: string
  readonly sql: Sql
  /** Plain `pg`, as the peers use it. */
  readonly pool: Pool
  readonly outbox: Outbox<Tx>
}

/** An event for cases in which no broker is involved. */
export const OrderPlaced = defineOrderPlaced(defineOrderTopic('benchmark-outbox'))

/** The business table that both write to, and an outbox as it is usually made. */
export async function createPeerTables(pool: Pool): Promise<void> {
  await pool.query(`
    create table orders (
      id bigint generated always as identity primary key,
      order_id text not null,
      customer_id text not null,
      total_cents integer not null,
      created_at timestamptz not null default now()
    );
    create table peer_outbox (
      id bigint generated always as identity primary key,
      topic text not null,
      key text not null,
      payload bytea not null,
      headers jsonb not null,
      created_at timestamptz not null default now()
    )`)
}

export const insertOrder = 'insert into orders (order_id, customer_id, total_cents) values ($1, $2, $3)'
export const insertPeerOutbox = 'insert into peer_outbox (topic, key, payload, headers) values ($1, $2, $3, $4)'

export async function emptyTables(world: OutboxWorld): Promise<void> {
  await world.pool.query('truncate orders, peer_outbox, evtkit_outbox')
}

const fillStep = 1000

/** Leaves `rows` events of a definition in our outbox. */
export async function fillOutbox(world: OutboxWorld, event: typeof OrderPlaced, rows: number): Promise<void> {
  await emptyTables(world)
  const producer = createProducer({ sender: { send: refuse }, source: 'benchmark' })
  for (let first = 0; first < rows; first += fillStep)
    await world.sql.transaction(async (tx) => {
      const facts = Array.from({ length: Math.min(fillStep, rows - first) }, (_, i) => fact(event, order(first + i)))
      await producer.through(world.outbox.in(tx)).publishAll(facts)
    })
  await world.pool.query('vacuum analyze evtkit_outbox')
}

/** Leaves `rows` records with the same keys, values and headers in the peer's outbox. */
export async function fillPeerOutbox(world: OutboxWorld, rows: number): Promise<void> {
  await emptyTables(world)
  for (let first = 0; first < rows; first += fillStep) {
    const records = await Promise.all(
      Array.from({ length: Math.min(fillStep, rows - first) }, (_, i) => recordOf(OrderPlaced, order(first + i))),
    )
    await world.pool.query(
      `insert into peer_outbox (topic, key, payload, headers)
       select * from unnest($1::text[], $2::text[], $3::bytea[], $4::jsonb[])`,
      [
        records.map(({ topic }) => topic),
        records.map(({ key }) => String(key)),
        records.map(({ value }) => value),
        records.map(headersAsJson),
      ],
    )
  }
  await world.pool.query('vacuum analyze peer_outbox')
}

function headersAsJson({ headers }: RawMessage): string {
  return JSON.stringify(Object.fromEntries(headers.map(([name, value]) => [name, String(value)])))
}

function refuse(): Promise<void> {
  return Promise.reject(new Error('everything is published through the outbox here'))
}
