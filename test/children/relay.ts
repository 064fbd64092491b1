/** A relay in a process of its own, whose sender appends to a file what it was given: one line for each message. */
import { appendFileSync } from 'node:fs'
import type { RawMessage, Sender } from '@evtkit/sdk'
import { createRelay } from '@evtkit/sdk/outbox'
import { createPostgres } from '@evtkit/sdk/postgres'

const { DATABASE_URL, SENT_FILE = '', NAME = 'relay', HOLD_ANSWERS, DIE_AFTER, BATCH_SIZE = '500' } = process.env

const line = ({ topic, key, value, headers }: RawMessage): string =>
  `${JSON.stringify({ topic, key: String(key), value: String(value), headers: headers.map(([name, bytes]) => [name, String(bytes)]) })}\n`

let sent = 0
const sender: Sender = {
  async send(messages) {
    for (const message of messages) {
      appendFileSync(SENT_FILE, line(message))
      if (++sent === Number(DIE_AFTER)) process.kill(process.pid, 'SIGKILL')
    }
    console.log(`${NAME} sent ${messages.length}`)
    // The broker has the records; its answer arrives once the test says so.
    if (HOLD_ANSWERS === 'once' && sent === messages.length)
      await new Promise<void>((resolve) => {
        const waiting = setInterval(() => {}, 1000)
        process.once('SIGUSR2', () => {
          clearInterval(waiting)
          resolve()
        })
      })
  },
}

const sql = createPostgres({ connectionString: DATABASE_URL, applicationName: NAME })
const relay = createRelay({
  sql,
  sender,
  batchSize: Number(BATCH_SIZE),
  balanceMs: 50,
  sendTimeoutMs: 500,
  leaseMs: 1000,
  backoff: { initialMs: 20, maxMs: 100 },
})
await relay.start()
console.log(`${NAME} started`)
process.once('SIGTERM', async () => {
  await relay.close()
  await sql.close()
  console.log(`${NAME} closed`)
})
