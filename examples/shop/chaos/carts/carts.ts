import { createProducer } from '@evtkit/sdk'
import { createOutbox, createRelay, outboxMigrations } from '@evtkit/sdk/outbox'
import { defineMigrations } from '@evtkit/sdk/postgres'
import { CartUpdated } from '../../contracts/index.ts'
import type { CartGround, CartPart } from './cart-part.ts'

const migrations = defineMigrations('carts', [
  { id: '001-carts', sql: 'create table carts (cart_id text primary key, pieces integer not null)' },
])

/** What one piece costs. Minor units. */
const unitPrice = 1250

/**
 * Carts that grow by one piece at a time: `POST /carts/:cartId/pieces`. Every piece is a fact that tells how many there are
 * now, so whoever reads the facts of a cart can count: each number once, one after the other.
 */
export function createCarts({ sql, kafka, http, logger }: CartGround): CartPart {
  const outbox = createOutbox()
  const relay = createRelay({ sql, sender: kafka, outbox, logger })
  const producer = createProducer({ sender: kafka, source: 'carts' })

  http.post<{ Params: { cartId: string } }>('/carts/:cartId/pieces', async (request) => {
    const { cartId } = request.params
    const pieces = await sql.transaction(async (tx) => {
      const { rows } = await tx.query(
        `insert into carts (cart_id, pieces) values ($1, 1)
         on conflict (cart_id) do update set pieces = carts.pieces + 1 returning pieces`,
        [cartId],
      )
      const quantity = Number(rows[0]?.pieces)
      await producer.through(outbox.in(tx)).publish(CartUpdated, {
        cartId,
        customerId: null,
        lines: [{ sku: 'mug', quantity, unitPrice: { amount: unitPrice, currency: 'EUR' } }],
        subtotal: { amount: quantity * unitPrice, currency: 'EUR' },
        updatedAt: new Date(),
      })
      return quantity
    })
    return { pieces }
  })

  return {
    migrations: [outboxMigrations, migrations],
    start: () => relay.start(),
    close: (deadlineMs) => relay.close(deadlineMs),
    health: () => [{ piece: 'relay', ...relay.health() }],
  }
}
