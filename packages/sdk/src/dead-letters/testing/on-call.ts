import { createDeadLetters, type DeadLetters } from '@evtkit/sdk/dead-letters'
import { createPostgres } from '@evtkit/sdk/postgres'

const sql = createPostgres({ connectionString: 'postgres://127.0.0.1:5432/shipping' })
const deadLetters: DeadLetters = createDeadLetters({ sql })
const who = { by: 'ines', reason: 'the carrier is back, ticket 4711' }

const plan = await deadLetters.plan({
  group: 'shipping',
  errorCode: 'CARRIER_DOWN',
  from: new Date('2026-11-24T18:00Z'),
})
console.table(plan.byEventType)
for (const warning of plan.warnings) console.warn(warning)
const { redriven, changed } = await deadLetters.redrive(plan, { ...who, ratePerSecond: 50 })
console.log(`${redriven.length} go on, ${changed.length} had changed`)
