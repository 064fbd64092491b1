import type { Envelope, Handler, Replay } from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { migrate } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { textMessage } from '../../../../test/recording-sender.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createEffects, effectsMigrations } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()

interface Order {
  readonly total: number
}
const event = (eventId: string): Envelope<'InventoryReserved', Order> => ({
  eventId,
  eventType: 'InventoryReserved',
  eventVersion: 'v1',
  timestamp: '2026-01-02T03:04:05.000Z',
  source: 'inventory',
  correlationId: 'c',
  causationId: null,
  data: { total: 4200 },
  metadata: {},
})
const context = (options: { signal?: AbortSignal; replay?: Replay; group?: string } = {}) => {
  const { signal = new AbortController().signal, replay = null, group = 'payments' } = options
  const message = textMessage('o-1', 'v')
  return { delivery: { message, partition: 0, offset: 0n, group, attempt: 1, replay }, group, signal }
}
const id = (n: number) => `0192f3b0-7e6c-7c3a-9d2e-${String(n).padStart(12, '0')}`
const charges = async () =>
  (await sql.query('select charge from charges order by charge')).rows.map((row) => row.charge)

/** A provider that knows a repeat by its key, as providers do. */
function provider() {
  const charged = new Map<string, string>()
  const calls: string[] = []
  return {
    charged,
    calls,
    charge(key: string) {
      calls.push(key)
      const known = charged.get(key) ?? `charge-${charged.size + 1}`
      charged.set(key, known)
      return Promise.resolve({ chargeId: known, note: 'with \0 nul', missing: undefined })
    },
  }
}

function paying(outside: ReturnType<typeof provider>, record?: () => void) {
  const effects = createEffects({ sql, inbox: createInbox({ sql }) })
  const handler: Handler<'InventoryReserved', Order> = effects.once({
    call: (_event, { idempotencyKey }) => outside.charge(idempotencyKey),
    record: async (_event, { tx, result }) => {
      await tx.query('insert into charges (charge) values ($1)', [result.chargeId])
      record?.()
    },
  })
  return { effects, handler }
}

beforeAll(async () => {
  await migrate(sql, [inboxMigrations, effectsMigrations])
  await sql.query('create table charges (charge text not null)')
})
beforeEach(async () => {
  await sql.query('truncate evtkit_inbox, evtkit_effects, charges')
})

test('the outside is called once for an event that comes again', async () => {
  const outside = provider()
  const { effects, handler } = paying(outside)
  for (const spelling of [id(1), id(1), id(1).toUpperCase()]) await handler(event(spelling), context())
  expect(outside.calls).toHaveLength(1)
  expect(await charges()).toEqual(['charge-1'])
  expect(effects.stats()).toEqual({ called: 1, found: 2, muted: 0 })
})

test('when recording fails the call is made again under the same key, and its effect is one', async () => {
  const outside = provider()
  let failures = 1
  const { handler } = paying(outside, () => {
    if (failures-- > 0) throw new Error('the disk is full')
  })
  await expect(handler(event(id(1)), context())).rejects.toThrow('the disk is full')
  expect(await charges()).toEqual([])
  await handler(event(id(1)), context())
  expect(new Set(outside.calls).size).toBe(1)
  expect(outside.charged.size).toBe(1)
  expect(await charges()).toEqual(['charge-1'])
})

test('the key is of the event, the group and the handler, and of nothing else', async () => {
  const outside = provider()
  const { handler } = paying(outside)
  await handler(event(id(1)), context())
  await handler(event(id(2)), context())
  await handler(event(id(1)), context({ group: 'accounting' }))
  expect(new Set(outside.calls).size).toBe(3)
  await sql.query('truncate evtkit_inbox, evtkit_effects')
  await paying(outside).handler(event(id(1)), context())
  expect(outside.calls[3]).toBe(outside.calls[0])
})

test('what is recorded is what is found later: the result as JSON gives it back', async () => {
  const outside = provider()
  const seen: unknown[] = []
  const keep = (name: string) =>
    createEffects({ sql, inbox: createInbox({ sql }) }).once<'InventoryReserved', Order, unknown>({
      name,
      call: (_event, { idempotencyKey }) => outside.charge(idempotencyKey),
      record: (_event, { result }) => void seen.push(result),
    })
  await keep('first')(event(id(1)), context())
  // The memory of the inbox is gone, that of the effect is not.
  await sql.query('truncate evtkit_inbox')
  await keep('first')(event(id(1)), context())
  expect(seen).toEqual([
    { chargeId: 'charge-1', note: 'with \0 nul' },
    { chargeId: 'charge-1', note: 'with \0 nul' },
  ])
  expect(outside.calls).toHaveLength(1)
})

test('a muted replay finds what is kept and calls nobody', async () => {
  const outside = provider()
  const { effects, handler } = paying(outside)
  await handler(event(id(1)), context())
  await sql.query('truncate evtkit_inbox, charges')
  const replay = { id: 'r-1', muted: true }
  await handler(event(id(1)), context({ replay }))
  await handler(event(id(2)), context({ replay }))
  expect(await charges()).toEqual(['charge-1'])
  expect(outside.calls).toHaveLength(1)
  expect(effects.stats()).toEqual({ called: 1, found: 1, muted: 1 })
})

test('a call that does not answer is given up at its deadline, with its signal aborted', async () => {
  const clock = createManualClock()
  const effects = createEffects({ sql, inbox: createInbox({ sql }), deadlineMs: 1000, clock })
  let signal: AbortSignal | undefined
  const handler = effects.once<'InventoryReserved', Order, never>({
    call: (_event, inside) => {
      signal = inside.signal
      return new Promise(() => {})
    },
    record: () => {},
  })
  const handled = handler(event(id(1)), context())
  const outcome = expect(handled).rejects.toMatchObject({ code: 'EVT_HANDLER_DEADLINE' })
  await vi.waitFor(() => expect(signal).toBeDefined())
  await clock.advance(1000)
  await outcome
  expect(signal?.aborted).toBe(true)
})

test('a handler that is given up gives up its call', async () => {
  const { effects } = paying(provider())
  const controller = new AbortController()
  const calling = vi.fn()
  const handler = effects.once<'InventoryReserved', Order, never>({
    call: (_event, { signal }) => {
      calling()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    },
    record: () => {},
  })
  const handled = handler(event(id(1)), context({ signal: controller.signal }))
  const outcome = expect(handled).rejects.toThrow('closing')
  await vi.waitFor(() => expect(calling).toHaveBeenCalled())
  controller.abort(new Error('closing'))
  await outcome
})

test('a result that JSON cannot carry is named', async () => {
  const effects = createEffects({ sql, inbox: createInbox({ sql }) })
  const handler = effects.once<'InventoryReserved', Order, unknown>({ call: async () => 5n, record: () => {} })
  await expect(handler(event(id(1)), context())).rejects.toThrow('handler "InventoryReserved" returned cannot be kept')
})

test('misuse is refused at once', () => {
  const inbox = createInbox({ sql })
  expect(() => createEffects({ sql, inbox, deadlineMs: 0 })).toThrow(/deadlineMs must be/)
  const effects = createEffects({ sql, inbox })
  const call = async () => 1
  expect(() => effects.once({ name: '', call, record: () => {} })).toThrow(/must not be empty/)
  expect(() => effects.once({ call, record: () => {}, deadlineMs: Number.POSITIVE_INFINITY })).toThrow(/above 0/)
})

test('a missing table is named with the call that helps', async () => {
  const { handler } = paying(provider())
  await sql.query('alter table evtkit_effects rename to elsewhere')
  const handled = handler(event(id(1)), context())
  await expect(handled).rejects.toThrow(/migrate\(sql, \[effectsMigrations\]\)/)
  await sql.query('alter table elsewhere rename to evtkit_effects')
})

test('results are forgotten after their time only', async () => {
  const { effects, handler } = paying(provider())
  await handler(event(id(1)), context())
  await handler(event(id(2)), context())
  await sql.query(`update evtkit_effects set recorded_at = now() - interval '2 hours' where event_id = $1`, [id(1)])
  expect(await effects.prune(3_600_000)).toBe(1)
  await expect(effects.prune(0)).rejects.toThrow(/more than 0/)
})
