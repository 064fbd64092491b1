import { BrokerRefusedError, RecordTooLargeError, silentLogger, UnknownTopicError } from '@evtkit/sdk'
import { migrate } from '@evtkit/sdk/postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, createRelay, outboxMigrations, outboxSetAside, type Relay } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
const outbox = createOutbox()
const setAside = outboxSetAside(sql)
let sender: RecordingSender
let relay: Relay

const send = (...messages: readonly (readonly [string | null, string, string?])[]) =>
  sql.transaction((tx) => outbox.in(tx).send(messages.map(([key, value, topic]) => textMessage(key, value, topic))))

const counts = async () => {
  const { rows } = await sql.query(
    'select (select count(*) from evtkit_outbox) as waiting, (select count(*) from evtkit_outbox_set_aside) as aside',
  )
  return { waiting: Number(rows[0]?.waiting), aside: Number(rows[0]?.aside) }
}

describe('a row that can never be sent as it is', () => {
  beforeAll(async () => {
    await migrate(sql, [outboxMigrations])
  })
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
    sender = new RecordingSender()
    sender.stopsKey = true
    relay = createRelay({
      sql,
      sender,
      outbox,
      balanceMs: 50,
      backoff: { initialMs: 20, maxMs: 100 },
      logger: silentLogger,
    })
    await relay.start()
  })
  afterEach(async () => {
    await relay.close()
  })

  test('is set aside and listed with its error; other keys flow and its own key waits in order', async () => {
    sender.refuse = (message) =>
      String(message.value) === 'huge' ? new RecordTooLargeError('too large for the topic') : undefined
    await send(['a', 'a1'], ['a', 'huge'], ['b', 'b1'], ['a', 'a2'])
    await send(['a', 'a3'], ['b', 'b2'])
    await eventually(() => expect(sender.values()).toEqual(['a1', 'b1', 'b2']))
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 3 }))
    await send(['a', 'a4'])
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 4 }))
    expect(await setAside.list()).toEqual([
      {
        id: '2',
        message: textMessage('a', 'huge'),
        errorCode: 'EVT_RECORD_TOO_LARGE',
        errorMessage: 'too large for the topic',
        setAsideAt: expect.any(Date),
        waitingBehind: 3,
      },
    ])
    expect(await relay.stats()).toMatchObject({ setAside: 1, depth: 0 })
    expect(sender.values()).toEqual(['a1', 'b1', 'b2'])
  })

  test('goes with everything behind it in the old order when it is tried again', async () => {
    let tooLarge = true
    sender.refuse = (message) =>
      tooLarge && String(message.value) === 'huge' ? new RecordTooLargeError('too large') : undefined
    await send(['a', 'huge'], ['a', 'a2'])
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 2 }))
    await send(['a', 'a3'])
    tooLarge = false
    expect(await setAside.retry('1')).toBe(true)
    await eventually(() => expect(sender.values()).toEqual(['huge', 'a2', 'a3']))
    await send(['a', 'a4'])
    await eventually(() => expect(sender.values()).toEqual(['huge', 'a2', 'a3', 'a4']))
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 0 }))
    expect(await setAside.retry('1')).toBe(false)
  })

  test('is gone for good when it is discarded, and what waited behind it goes on', async () => {
    sender.refuse = (message) => (message.topic === 'nowhere' ? new UnknownTopicError('nowhere') : undefined)
    await send(['a', 'lost', 'nowhere'], ['a', 'behind', 'nowhere'], ['a', 'fine'])
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 2 }))
    expect(sender.values()).toEqual(['fine'])
    expect(await setAside.discard('1')).toBe(true)
    // The next one of that topic meets the same fate, on its own account.
    await eventually(async () => expect((await setAside.list()).map((row) => row.id)).toEqual(['2']))
    sender.refuse = () => undefined
    expect(await setAside.retry('2')).toBe(true)
    await eventually(() => expect(sender.values()).toEqual(['fine', 'behind']))
    expect(await setAside.discard('1')).toBe(false)
  })

  test('holds back nothing else when it has no key', async () => {
    sender.refuse = (message) => (String(message.value) === 'huge' ? new RecordTooLargeError('too large') : undefined)
    await send([null, 'huge'], [null, 'n1'])
    await send([null, 'n2'])
    await eventually(() => expect(sender.values().sort()).toEqual(['n1', 'n2']))
    await eventually(async () => expect(await counts()).toEqual({ waiting: 0, aside: 1 }))
  })

  test('is not one that the broker refuses for a missing authorization: that waits, and is reported', async () => {
    let authorized = false
    sender.refuse = (message) =>
      authorized || message.topic !== 'secret' ? undefined : new BrokerRefusedError('not authorized to write')
    await send(['a', 's1', 'secret'], ['b', 'b1'])
    await eventually(() => expect(sender.values()).toEqual(['b1']))
    await eventually(() =>
      expect(relay.health()).toEqual({
        ready: false,
        state: 'held',
        detail: '1 topic(s) wait, "secret" first: not authorized to write',
      }),
    )
    await eventually(async () => expect(await counts()).toEqual({ waiting: 1, aside: 0 }))
    authorized = true
    await eventually(() => expect(sender.values()).toEqual(['b1', 's1']))
    await eventually(() => expect(relay.health().ready).toBe(true))
  })

  test('keeps every relay from calling itself ready, one that was started later too', async () => {
    sender.refuse = (message) => (String(message.value) === 'huge' ? new RecordTooLargeError('too large') : undefined)
    await send(['a', 'huge'], ['a', 'a2'])
    const detail =
      '1 row set aside (too large), 1 waits behind it; see outboxSetAside(sql).list(), retry(id), discard(id)'
    const held = { ready: false, state: 'held', detail }
    await eventually(() => expect(relay.health()).toEqual(held))
    const later = createRelay({ sql, sender, balanceMs: 50, logger: silentLogger })
    await later.start()
    await eventually(() => expect(later.health()).toEqual(held))
    const [row] = await setAside.list()
    await setAside.discard(row?.id ?? '')
    await eventually(() => expect([relay, later].map((each) => each.health().ready)).toEqual([true, true]))
    expect(sender.values()).toEqual(['a2'])
    await later.close()
  })

  test('does not starve others when it is of a topic that the broker refuses, with thousands of keys', async () => {
    sender.refuse = ({ topic }) => (topic === 'secret' ? new BrokerRefusedError('not authorized to write') : undefined)
    await send(...Array.from({ length: 6000 }, (_, i) => [`s${i}`, 'refused', 'secret'] as const))
    await send(...Array.from({ length: 50 }, (_, i) => [`g${i}`, 'good'] as const))
    await eventually(() => expect(sender.values().filter((value) => value === 'good')).toHaveLength(50))
    await eventually(async () => expect(await counts()).toEqual({ waiting: 6000, aside: 0 }))
  })
})
