import { createConsumer } from '@evtkit/sdk'
import { createDeadLetters, createParking, deadLetterMigrations } from '@evtkit/sdk/dead-letters'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { defineMigrations } from '@evtkit/sdk/postgres'
import { allEvents, CartUpdated } from '../../contracts/index.ts'
import type { CartGround, CartPart } from './cart-part.ts'

const migrations = defineMigrations('cart-mirror', [
  {
    id: '001-mirror',
    sql: `
      create table mirror (cart_id text primary key, pieces integer not null);
      create table applied (
        seq bigint generated always as identity (cache 1) primary key,
        cart_id text not null,
        pieces integer not null,
        event_id uuid not null
      );
      create table deliveries (event_id uuid not null, delivered_at timestamptz not null default clock_timestamp());`,
  },
])

/**
 * Keeps a copy of every cart, and two lists that a checker reads afterwards: what was applied, written in the transaction
 * of each effect, and what was delivered, written outside of any.
 */
export function createCartMirror({ sql, kafka, http, logger }: CartGround): CartPart {
  const inbox = createInbox({ sql })
  const consumer = createConsumer({
    source: kafka,
    group: 'cart-mirror',
    rejected: createDeadLetters({ sql }).rejected,
    failed: createParking({ sql, retry: { initialMs: 500, maxMs: 5000 } }),
    catalogue: allEvents,
    logger,
  })
  const apply = inbox.once<typeof CartUpdated.type, Cart>(async (event, { tx }) => {
    const { cartId, lines } = event.data
    const pieces = lines[0]?.quantity ?? 0
    await tx.query('insert into applied (cart_id, pieces, event_id) values ($1, $2, $3)', [
      cartId,
      pieces,
      event.eventId,
    ])
    await tx.query(
      `insert into mirror (cart_id, pieces) values ($1, $2)
       on conflict (cart_id) do update set pieces = excluded.pieces`,
      [cartId, pieces],
    )
  })
  consumer.on(CartUpdated, async (event, context) => {
    await sql.query('insert into deliveries (event_id) values ($1)', [event.eventId])
    await apply(event, context)
  })
  http.get('/stats', async () => inbox.stats())
  return {
    migrations: [inboxMigrations, deadLetterMigrations, migrations],
    start: () => consumer.start(),
    close: (deadlineMs) => consumer.close(deadlineMs),
    health: () => [{ piece: 'consumer', ...consumer.health() }],
  }
}

interface Cart {
  readonly cartId: string
  readonly lines: readonly { readonly quantity: number }[]
}
