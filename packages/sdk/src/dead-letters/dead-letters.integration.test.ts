import {
  type Delivery,
  defineEvent,
  defineTopic,
  jsonCodec,
  UndecodableRecordError,
  UnknownEventError,
} from '@evtkit/sdk'
import { migrate, type Sql } from '@evtkit/sdk/postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import type { FailedEventsHost, FailedEventsMember } from '../core/failed-events.ts'
import {
  createDeadLetters,
  createParking,
  type DeadLetters,
  deadLetterMigrations,
  type ParkingOptions,
} from './index.ts'
import { databases } from './testing/databases.ts'
import { event, failed, failure, handled, parkingHost } from './testing/parking-host.ts'

const server = await freshDatabase()

const who = { by: 'ines', reason: 'the carrier is back' } as const

const OrderCreated = defineEvent({
  type: 'OrderCreated',
  topic: defineTopic({ name: 'orders' }),
  schema: z.object({ orderId: z.string(), lines: z.number() }),
  key: ({ orderId }) => orderId,
})

describe.each(databases(server.url))('dead letters on %s', (_, open) => {
  let sql: Sql
  let deadLetters: DeadLetters
  const members: FailedEventsMember[] = []
  beforeAll(async () => {
    sql = await open()
    deadLetters = createDeadLetters({ sql })
  }, 60_000)
  beforeEach(async () => {
    await migrate(sql, [deadLetterMigrations])
    await sql.query(
      'truncate evtkit_failed_events, evtkit_waiting_keys, evtkit_parking_groups, evtkit_dead_letter_operations cascade',
    )
  })
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.close(5000)))
  })

  const join = async (host: FailedEventsHost, options: Partial<ParkingOptions> = {}) => {
    const retry = { initialMs: 5, maxMs: 20, attempts: 2 }
    const member = createParking({ sql, retry, pollMs: 30, random: () => 0, ...options }).join(host)
    members.push(member)
    await member.assigned('orders', 0)
    return member
  }
  const stats = (group = 'shipping') => createParking({ sql }).stats(group)

  test('keep the record byte for byte, and every attempt with its time, class, message and stack', async () => {
    const member = await join(parkingHost(() => failure('still nothing\0\ud800', { afterGivingUp: 'skip' })))
    const delivery = event(9_007_199, Buffer.from([0, 255]), { attempt: 1 })
    const odd: Delivery = {
      ...delivery,
      offset: 9_007_199_254_740_993n,
      message: {
        ...delivery.message,
        value: Buffer.from([0, 0, 0, 1, 7, 255]),
        headers: [
          ...delivery.message.headers,
          ['__proto__', Buffer.from([0, 255])],
          ['constructor', Buffer.alloc(0)],
          ['nul\0name', Buffer.from('x')],
        ],
      },
    }
    await member.take(failed(odd))
    await eventually(async () => expect((await stats()).deadLetters).toBe(1))
    const [letter] = await deadLetters.list({ group: 'shipping' })
    expect(letter).toMatchObject({
      state: 'dead',
      group: 'shipping',
      message: odd.message,
      partition: 0,
      offset: odd.offset,
      eventId: 'id-9007199',
      eventType: 'OrderCreated',
      eventVersion: 'v1',
      correlationId: 'request-1',
      schemaId: '263',
      errorCode: 'Error',
      errorMessage: 'still nothing\ufffd\ufffd',
      attemptCount: 3,
      afterGivingUp: 'skip',
      waitingKey: null,
      redrives: 0,
      timesSeen: 1,
    })
    expect(letter?.attempts.map(({ code }) => code)).toEqual(['NO_STOCK', 'Error', 'Error'])
    expect(letter?.attempts[0]).toEqual({
      at: expect.any(Number),
      code: 'NO_STOCK',
      message: 'out of stock',
      stack: '    at somewhere',
    })
    expect(await deadLetters.show(letter?.id ?? '')).toMatchObject({ offset: odd.offset, edits: [], operations: [] })
    expect(await deadLetters.show('x; drop table')).toBeUndefined()
  })

  test('are found by what they are about, a page at a time, and never by accident', async () => {
    const member = await join(parkingHost(() => handled))
    for (let offset = 1; offset <= 6; offset++)
      await member.take(failed(event(offset, `k${offset % 2}`), { final: true, afterGivingUp: 'skip' }))
    const offsets = async (filter: Parameters<DeadLetters['list']>[0], page = {}) =>
      (await deadLetters.list(filter, page)).map(({ offset }) => Number(offset))
    expect(await offsets({ key: 'k1' })).toEqual([5, 3, 1])
    expect(await offsets({ key: Buffer.from('k0'), group: 'shipping' })).toEqual([6, 4, 2])
    expect(await offsets({ group: 'audit' })).toEqual([])
    expect(await offsets({ topic: 'orders', eventType: 'OrderCreated', errorCode: 'NO_STOCK' })).toHaveLength(6)
    expect(await offsets({ correlationId: 'request-1', from: new Date(Date.now() - 60_000) })).toHaveLength(6)
    expect(await offsets({ to: new Date(Date.now() - 60_000) })).toEqual([])
    expect(await offsets({ ids: [] })).toEqual([])
    expect(await offsets({ ids: ['none of these', '-1'] })).toEqual([])
    const first = await deadLetters.list({}, { limit: 4 })
    expect(await offsets({}, { after: first.at(-1)?.id })).toEqual([2, 1])
    for (const change of [
      () => deadLetters.plan({ group: 'shipping' }),
      () => deadLetters.redrive({ group: 'shipping' }, who),
      () => deadLetters.discard({ group: 'shipping' }, who),
      () => deadLetters.skip({ group: 'shipping' }, who),
      () => deadLetters.retryNow({ group: 'shipping' }, who),
      () => deadLetters.plan({ group: '', all: true }),
      () => deadLetters.redrive({ group: 'shipping', all: true }, { by: ' ', reason: 'x' }),
      () => deadLetters.discard({ group: 'shipping', all: true }, { by: 'ines', reason: '' }),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
    expect((await stats()).deadLetters).toBe(6)
  })

  test('a plan tells what a redrive would do, and changes nothing', async () => {
    const member = await join(parkingHost(() => handled, { topics: ['none'] }))
    await member.take(failed(event(1, 'a'), { final: true }))
    for (const offset of [2, 3]) await member.follow(event(offset, 'a'))
    await member.take(failed(event(4, 'b'), { final: true, afterGivingUp: 'skip' }))
    await sql.query('delete from evtkit_parking_groups')
    const before = await deadLetters.list({}, { limit: 10 })
    const plan = await deadLetters.plan({ group: 'shipping', all: true })
    expect(plan).toMatchObject({
      group: 'shipping',
      events: [{ revision: 0 }, { revision: 0 }],
      hasMore: false,
      byEventType: [{ name: 'OrderCreated', events: 2 }],
      byErrorCode: [{ name: 'NO_STOCK', events: 2 }],
      successors: 2,
      groupSeenAt: null,
      warnings: [expect.stringMatching(/no consumer of group "shipping" .* was seen lately/)],
    })
    expect(plan.byKey.map(({ name }) => name).toSorted()).toEqual(['a', 'b'])
    expect(await deadLetters.list({}, { limit: 10 })).toEqual(before)
    expect(await deadLetters.history()).toEqual([])
  })

  test('a redrive puts an event back into its place: it is handled, then those that waited for it', async () => {
    let ready = false
    const host = parkingHost(({ offset }) => (offset === 1n && !ready ? failure('never') : handled))
    const member = await join(host)
    await member.take(failed(event(1, 'a')))
    for (const offset of [2, 3]) await member.follow(event(offset, 'a'))
    await eventually(async () => expect((await stats()).stoppedKeys).toBe(1))
    ready = true
    host.seen.length = 0
    const plan = await deadLetters.plan({ group: 'shipping', key: 'a' })
    expect(plan.warnings).toEqual([])
    const result = await deadLetters.redrive(plan, { ...who, ratePerSecond: 1000 })
    expect(result).toEqual({ operationId: expect.any(String), redriven: plan.events.map(({ id }) => id), changed: [] })
    await member.follow(event(4, 'a'))
    await eventually(() => expect(host.seen).toEqual([1n, 2n, 3n, 4n]))
    await eventually(async () => expect(await deadLetters.list({ states: ['redriven'] })).toHaveLength(1))
    const [letter] = await deadLetters.list({ states: ['redriven'] })
    expect(letter).toMatchObject({ offset: 1n, redrives: 1, attemptCount: 3, waitingKey: null })
    expect(await deadLetters.show(letter?.id ?? '')).toMatchObject({
      operations: [{ operation: 'redrive', ...who, filter: { key: 'a' }, ids: [letter?.id], at: expect.any(Date) }],
    })
    expect(await deadLetters.history({ group: 'shipping' })).toMatchObject([{ operation: 'redrive', ...who }])
  })

  test('a plan that is older than a change leaves what changed alone, and says so', async () => {
    const member = await join(parkingHost(() => handled, { topics: ['none'] }))
    for (const offset of [1, 2, 3])
      await member.take(failed(event(offset, `k${offset}`), { final: true, afterGivingUp: 'skip' }))
    const plan = await deadLetters.plan({ group: 'shipping', all: true })
    await deadLetters.discard({ group: 'shipping', key: 'k2' }, who)
    const result = await deadLetters.redrive(plan, who)
    expect(result.redriven).toHaveLength(2)
    expect(result.changed).toEqual([plan.events[1]?.id])
    expect(await deadLetters.redrive(plan, who)).toMatchObject({
      redriven: [],
      changed: plan.events.map(({ id }) => id),
    })
  })

  test('a redrive that is run many times at once does each event once', async () => {
    const member = await join(parkingHost(() => handled, { topics: ['none'] }))
    for (let offset = 1; offset <= 20; offset++)
      await member.take(failed(event(offset, `k${offset % 4}`), { final: true, afterGivingUp: 'skip' }))
    const results = await Promise.all(
      Array.from({ length: 8 }, () => deadLetters.redrive({ group: 'shipping', all: true }, who)),
    )
    const redriven = results.flatMap((result) => result.redriven)
    expect(redriven).toHaveLength(20)
    expect(new Set(redriven).size).toBe(20)
    const { rows } = await sql.query('select distinct redrives from evtkit_failed_events')
    expect(rows).toEqual([{ redrives: 1 }])
  })

  test.each(['stop', 'skip'] as const)(
    'an event that still fails after five redrives is one dead letter (%s), with an attempt more for each',
    async (afterGivingUp) => {
      const host = parkingHost(() => failure('still', { afterGivingUp }))
      const member = await join(host)
      await member.take(failed(event(1, 'a'), { final: true, afterGivingUp }))
      for (let redrives = 1; redrives <= 5; redrives++) {
        await deadLetters.redrive({ group: 'shipping', all: true }, who)
        await eventually(async () => expect(await deadLetters.list({})).toMatchObject([{ state: 'dead', redrives }]))
      }
      // Two attempts after it was parked, then one for each redrive: the cap of attempts stays used up.
      const [letter] = await deadLetters.list({})
      expect(letter).toMatchObject({ attemptCount: 7, redrives: 5 })
      expect(letter?.attempts).toHaveLength(7)
      expect(host.seen).toHaveLength(6)
      expect(await stats()).toMatchObject({ deadLetters: 1, parkedEvents: 0 })
    },
  )

  test('a redrive keeps its rate, also within one key', async () => {
    const host = parkingHost(() => handled)
    const member = await join(host)
    for (let offset = 1; offset <= 3; offset++)
      await member.take(failed(event(offset, 'a'), { final: true, afterGivingUp: 'skip' }))
    await deadLetters.redrive({ group: 'shipping', all: true }, { ...who, ratePerSecond: 0.01 })
    await eventually(() => expect(host.seen).toEqual([1n]))
    const { rows } = await sql.query(
      'select round(extract(epoch from not_before - now()) / 100) as hundreds from evtkit_failed_events where not_before > now() order by position',
    )
    expect(rows.map(({ hundreds }) => Number(hundreds))).toEqual([1, 2])
    await eventually(async () =>
      expect((await deadLetters.keys({ group: 'shipping' }))[0]).toMatchObject({ isClaimed: false, events: 2 }),
    )
    await deadLetters.retryNow({ group: 'shipping', all: true }, who)
    await eventually(() => expect(host.seen).toEqual([1n, 2n]))
  })

  test('discarding one releases the events that waited for it', async () => {
    const host = parkingHost(({ offset }) => (offset === 1n ? failure('never', { final: true }) : handled))
    const member = await join(host)
    await member.take(failed(event(1, 'a')))
    for (const offset of [2, 3]) await member.follow(event(offset, 'a'))
    await member.take(failed(event(4, 'alone'), { final: true }))
    await eventually(async () => expect((await stats()).stoppedKeys).toBe(2))
    const discarded = await deadLetters.discard({ group: 'shipping', all: true }, who)
    expect(discarded).toHaveLength(2)
    await eventually(() => expect(host.seen).toEqual([1n, 2n, 3n]))
    await eventually(async () =>
      expect(await stats()).toEqual({ parkedKeys: 0, parkedEvents: 0, oldestMs: 0, deadLetters: 0, stoppedKeys: 0 }),
    )
    expect(await deadLetters.list({ states: ['discarded'] })).toHaveLength(2)
    expect(await deadLetters.history()).toMatchObject([{ operation: 'discard', ids: discarded }])
  })

  test('a waiting key is shown with its head, and can be skipped by hand', async () => {
    const host = parkingHost(({ offset }) => (offset === 1n ? failure('not yet') : handled))
    const member = await join(host, { retry: { initialMs: 60_000 } })
    await member.take(failed(event(1, 'a')))
    await member.follow(event(2, 'a'))
    const [key] = await deadLetters.keys({ group: 'shipping', key: 'a' })
    // Whoever is on call asks for all groups.
    expect(await deadLetters.keys({ key: 'a' })).toEqual([key])
    expect(key).toMatchObject({
      group: 'shipping',
      topic: 'orders',
      partition: 0,
      key: Buffer.from('a'),
      state: 'retrying',
      isClaimed: false,
      events: 2,
      head: { offset: 1n, eventType: 'OrderCreated', errorCode: 'NO_STOCK', attemptCount: 1 },
    })
    expect(await deadLetters.keys({ group: 'shipping', state: 'stopped' })).toEqual([])
    expect(host.seen).toEqual([])
    expect(await deadLetters.retryNow({ group: 'shipping', ids: [key?.id ?? ''] }, who)).toEqual([key?.id])
    await eventually(() => expect(host.seen).toEqual([1n]))
    await eventually(async () =>
      expect((await deadLetters.keys({ group: 'shipping' }))[0]).toMatchObject({ isClaimed: false }),
    )
    await deadLetters.skip({ group: 'shipping', key: 'a' }, who)
    await eventually(() => expect(host.seen).toEqual([1n, 2n]))
    expect(await deadLetters.list({})).toMatchObject([{ offset: 1n, waitingKey: null, afterGivingUp: 'skip' }])
    expect((await deadLetters.history()).map(({ operation }) => operation)).toEqual(['skip', 'retry-now'])
  })

  test('an edit is checked against the schema, has a new id with the old one as its cause, and keeps what it was', async () => {
    const deliveries: Delivery[] = []
    const host = parkingHost((delivery) => {
      deliveries.push(delivery)
      return handled
    })
    const member = await join(host)
    const broken = event(1, 'o-1')
    const value = Buffer.from(
      JSON.stringify({
        eventId: 'id-1',
        eventType: 'OrderCreated',
        eventVersion: 'v1',
        timestamp: '2026-01-01T00:00:00.000Z',
        source: 'order-service',
        correlationId: 'request-1',
        causationId: null,
        data: { orderId: 'o-1', lines: 'two' },
        metadata: { userId: 'u-1' },
      }),
    )
    const traced = [...broken.message.headers, ['traceparent', Buffer.from('00-1-2-01')] as const]
    const message = { ...broken.message, value, headers: traced }
    await member.take(failed({ ...broken, message }, { final: true }))
    const id = (await deadLetters.list({}))[0]?.id ?? ''
    const edit = { event: OrderCreated, ...who }
    await expect(
      // @ts-expect-error lines is a number
      deadLetters.edit(id, { ...edit, data: { orderId: 'o-1', lines: 'two' } }),
    ).rejects.toMatchObject({ code: 'EVT_INVALID_EVENT' })
    await expect(deadLetters.edit(id, { ...edit, data: { orderId: 'o-2', lines: 2 } })).rejects.toThrow(
      /its key is "o-2"/,
    )
    await expect(deadLetters.edit('77', { ...edit, data: { orderId: 'o-1', lines: 2 } })).rejects.toThrow(
      /no dead letter 77/,
    )
    const plan = await deadLetters.plan({ group: 'shipping', all: true })
    const { eventId } = await deadLetters.edit(id, { ...edit, data: { orderId: 'o-1', lines: 2 } })
    expect(await deadLetters.redrive(plan, who)).toMatchObject({ redriven: [], changed: [id] })
    await deadLetters.redrive({ group: 'shipping', ids: [id] }, who)
    await eventually(() => expect(deliveries).toHaveLength(1))
    const [delivery] = deliveries
    if (delivery === undefined) throw new Error('nothing was delivered')
    expect(delivery.message.key).toEqual(Buffer.from('o-1'))
    expect(delivery.message.headers).toContainEqual(['traceparent', Buffer.from('00-1-2-01')])
    expect(delivery.message.headers.filter(([name]) => name === 'event-id')).toEqual([
      ['event-id', Buffer.from(eventId)],
    ])
    expect(await jsonCodec.decode(delivery.message)).toMatchObject({
      eventId,
      causationId: 'id-1',
      correlationId: 'request-1',
      source: 'order-service',
      data: { orderId: 'o-1', lines: 2 },
      metadata: { userId: 'u-1' },
    })
    await eventually(async () => expect((await deadLetters.show(id))?.state).toBe('redriven'))
    expect(await deadLetters.show(id)).toMatchObject({
      state: 'redriven',
      eventId,
      edits: [{ ...who, oldEventId: 'id-1', newEventId: eventId, oldMessage: { value, headers: traced } }],
      operations: [{ operation: 'edit' }, { operation: 'redrive' }],
    })
  })

  test('a record that is given up again after its offsets were set back is the same dead letter', async () => {
    const host = parkingHost(() => failure('never', { afterGivingUp: 'skip' }))
    const member = await join(host)
    await member.take(failed(event(1, 'a'), { final: true, afterGivingUp: 'skip' }))
    await member.take(failed(event(1, 'a'), { final: true, afterGivingUp: 'skip' }))
    expect(await deadLetters.list({})).toMatchObject([{ timesSeen: 2, attemptCount: 2 }])
    await deadLetters.discard({ group: 'shipping', all: true }, who)
    await member.take(failed(event(1, 'a')))
    await eventually(async () => expect(await deadLetters.list({})).toMatchObject([{ timesSeen: 3, state: 'dead' }]))
  })

  test('what has ended is forgotten by age, and nothing else is', async () => {
    const member = await join(parkingHost(() => handled, { topics: ['none'] }))
    for (const offset of [1, 2, 3]) await member.take(failed(event(offset, `k${offset}`), { final: true }))
    await deadLetters.discard({ group: 'shipping', key: 'k1' }, who)
    expect(await deadLetters.prune(60_000)).toBe(0)
    await sql.query(
      "update evtkit_failed_events set ended_at = ended_at - interval '1 day', last_seen = now() - interval '1 day'",
    )
    await sql.query("update evtkit_dead_letter_operations set done_at = done_at - interval '1 day'")
    expect(await deadLetters.prune(60_000)).toBe(1)
    expect(await deadLetters.list({})).toHaveLength(2)
    expect(await deadLetters.history()).toEqual([])
    await expect(deadLetters.prune(0)).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
  })

  test('a rejected record is a dead letter at once, one however often it comes, with its latest error', async () => {
    const delivery = event(1, Buffer.from([255]))
    await deadLetters.rejected({ delivery, error: new UndecodableRecordError('not an envelope: \0') })
    await deadLetters.rejected({ delivery, error: new UnknownEventError('nobody knows it') })
    expect(await deadLetters.list({})).toMatchObject([
      {
        state: 'dead',
        message: delivery.message,
        errorCode: 'EVT_UNKNOWN_EVENT',
        errorMessage: 'nobody knows it',
        timesSeen: 2,
        afterGivingUp: 'skip',
        waitingKey: null,
        attempts: [
          { code: 'EVT_UNDECODABLE_RECORD', message: 'not an envelope: \ufffd' },
          { code: 'EVT_UNKNOWN_EVENT' },
        ],
      },
    ])
    const anew = { ...delivery, message: { ...delivery.message, value: null } }
    await deadLetters.rejected({ delivery: anew, error: new UndecodableRecordError('a tombstone') })
    expect(await deadLetters.list({})).toHaveLength(2)
  })

  test('without their tables nothing is stored, and every error names the call that helps', async () => {
    await sql.query('alter table evtkit_failed_events rename to elsewhere')
    try {
      const error = new UndecodableRecordError('not an envelope')
      for (const call of [
        async () => deadLetters.rejected({ delivery: event(1, 'a'), error }),
        () => deadLetters.list(),
        () => deadLetters.plan({ group: 'shipping', all: true }),
        () => stats(),
      ]) {
        const failing = Promise.resolve(call())
        await expect(failing).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED' })
        await expect(failing).rejects.toThrow(/deadLetterMigrations/)
      }
    } finally {
      await sql.query('alter table elsewhere rename to evtkit_failed_events')
    }
  })
})
