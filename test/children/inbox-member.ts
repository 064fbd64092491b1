/** A member of a consumer group in a process of its own: handles one event, and stands still in the middle until it is told to go on. */
import { createInbox } from '@evtkit/sdk/inbox'
import { createPostgres } from '@evtkit/sdk/postgres'
import { contextOf, eventOf } from '../one-event.ts'

const { DATABASE_URL, EVENT_ID = '', IDLE_IN_TRANSACTION_MS } = process.env

// Nothing else holds the process once its connection is gone.
const alive = setInterval(() => {}, 1000)
const sql = createPostgres({ connectionString: DATABASE_URL, idleInTransactionMs: Number(IDLE_IN_TRANSACTION_MS) })
const handler = createInbox({ sql }).once(async (_event, { tx }) => {
  await tx.query(`update stock set reserved = reserved + 1 where sku = 'hot'`)
  const toldToGoOn = new Promise<void>((resolve) => process.once('SIGUSR2', resolve))
  console.log('in the middle')
  await toldToGoOn
})
try {
  await handler(eventOf(EVENT_ID), contextOf())
  console.log('committed')
} catch (error) {
  // Every error of the SDK and of the database has a code.
  console.log(`refused: ${(error as { code?: string }).code} ${error}`)
}
clearInterval(alive)
await sql.close()
