import { expect, test, vi } from 'vitest'
import { textMessage } from '../../../../test/recording-sender.ts'
import { memoryOf } from '../core/handler-options.ts'
import { silentLogger } from '../core/logger.ts'
import { runTransaction } from '../postgres/open-transaction.ts'
import type { Sql } from '../postgres/sql.ts'
import { createInbox } from './index.ts'

/** A database in which every event was noted before. */
const knowsAll: Sql = {
  query: async () => ({ rows: [], rowCount: 0 }),
  transaction: (work) => {
    const run = async () => [{ status: 'fulfilled' as const, value: { rows: [], rowCount: 0 } }]
    return runTransaction({ run, commit: async () => [], rollback: async () => {} }, work)
  },
  session: () => Promise.reject(new Error('not asked for')),
  close: async () => {},
}

test('an onDuplicate that throws is logged, and the delivery is finished', async () => {
  const error = vi.fn()
  const onDuplicate = () => {
    throw new Error('metrics are down')
  }
  const inbox = createInbox({ sql: knowsAll, onDuplicate, logger: { ...silentLogger, error } })
  const handler = inbox.once<'OrderCreated', unknown>(async () => {})
  const event = {
    eventId: '01890a5d-ac96-774b-bcce-b302099a8057',
    eventType: 'OrderCreated' as const,
    occurredAt: '2026-01-02T03:04:05.000Z',
    source: 'orders',
    correlationId: 'c',
    causationId: null,
    schemaVersion: 1,
    data: {},
  }
  const delivery = { message: textMessage(null, ''), partition: 0, offset: 0n, group: 'g', attempt: 1, replay: null }
  // What the inbox reads of it.
  await handler(event as unknown as Parameters<typeof handler>[0], {
    delivery,
    group: 'g',
    signal: new AbortController().signal,
  })
  expect(inbox.stats()).toMatchObject({ handled: 0, duplicates: 1 })
  expect(error).toHaveBeenCalledWith(expect.objectContaining({ reason: 'metrics are down' }), expect.any(String))
})

test('its handlers say for how long they recognise an event that comes again', () => {
  expect(memoryOf(createInbox({ sql: knowsAll }).once(() => {}))).toBe(Number.POSITIVE_INFINITY)
  expect(memoryOf(createInbox({ sql: knowsAll, retentionMs: 60_000 }).once(() => {}))).toBe(60_000)
})
