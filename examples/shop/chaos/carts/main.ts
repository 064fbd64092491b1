/** Runs `carts` or `cart-mirror` as a process of its own: `main.ts carts`. */
import { isRetryable, systemClock } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { createPostgres, migrate } from '@evtkit/sdk/postgres'
import { verifyTopics } from '@evtkit/sdk/topics'
import closeWithGrace from 'close-with-grace'
import fastify from 'fastify'
import { pino } from 'pino'
import { CartEvents } from '../../contracts/index.ts'
import { keepTrying } from '../../platform/keep-trying.ts'
import { createCartMirror } from './cart-mirror.ts'
import { createCarts } from './carts.ts'

const name = process.argv[2]
if (name !== 'carts' && name !== 'cart-mirror') {
  console.error(`usage: main.ts carts|cart-mirror; got ${name ?? 'nothing'}`)
  process.exit(2)
}

const graceMs = 10_000
const { PORT, KAFKA_BROKERS, SHOP_DATABASE_URL, SHOP_SESSION_TIMEOUT_MS = '6000' } = process.env
const sessionTimeoutMs = Number(SHOP_SESSION_TIMEOUT_MS)
const logger = pino({ base: { part: name }, timestamp: pino.stdTimeFunctions.isoTime })
const sql = createPostgres({ connectionString: SHOP_DATABASE_URL, applicationName: name, logger })
const kafka = createKafka({
  brokers: (KAFKA_BROKERS ?? '').split(','),
  clientId: name,
  sessionTimeoutMs,
  heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 3),
  logger,
})
const http = fastify()
const part = (name === 'carts' ? createCarts : createCartMirror)({ sql, kafka, http, logger })
let started = false

http.get('/readyz', async (_request, reply) => {
  const pieces = started ? part.health() : [{ piece: 'start', ready: false, detail: 'starting' }]
  return reply.code(pieces.every(({ ready }) => ready) ? 200 : 503).send({ pieces })
})

const stop = new AbortController()
const grace = closeWithGrace({ delay: graceMs + 3000, logger }, async ({ err }) => {
  if (err !== undefined) logger.error({ err }, 'closing after an error')
  stop.abort(new Error('told to end'))
  await http.close()
  try {
    await part.close(graceMs)
  } finally {
    await kafka.close(graceMs).finally(() => sql.close())
  }
})

try {
  await http.listen({ port: Number(PORT ?? 0), host: '127.0.0.1' })
  const waiting = { logger, clock: systemClock, signal: stop.signal, onFailure: () => {} }
  await keepTrying(() => migrate(sql, part.migrations), { ...waiting, what: 'database' })
  await keepTrying(() => verifyTopics(kafka, [CartEvents], 'evt topics apply'), { ...waiting, what: 'broker' })
  await part.start()
  started = true
} catch (error) {
  if (!stop.signal.aborted) {
    logger.error({ err: error, retryable: isRetryable(error) }, 'could not start')
    grace.uninstall()
    process.exit(1)
  }
}
