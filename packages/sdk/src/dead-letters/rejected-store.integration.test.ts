import { type Delivery, UndecodableRecordError, UnknownEventError } from '@evtkit/sdk'
import { migrate } from '@evtkit/sdk/postgres'
import { describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { listRejected, rejectedMigrations, rejectedStore } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
const store = rejectedStore(sql)

const delivery = (over: Partial<Delivery> = {}): Delivery => ({
  message: {
    topic: 'orders',
    key: Buffer.from([0, 1, 255]),
    value: Buffer.from([0xff, 0xfe, 0]),
    headers: [
      ['__proto__', Buffer.from([0, 255])],
      ['nul\0name', Buffer.alloc(0)],
    ],
    timestamp: 1_700_000_000_123,
  },
  partition: 3,
  offset: 9_007_199_254_740_993n,
  group: 'shipping',
  attempt: 1,
  replay: null,
  ...over,
})

describe('rejected records', () => {
  test('cannot be stored without their table, and the error names the call that helps', async () => {
    const error = new UndecodableRecordError('not an envelope')
    const stored = Promise.resolve(store({ delivery: delivery(), error }))
    await expect(stored).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED' })
    await expect(stored).rejects.toThrow(/rejectedMigrations/)
    await expect(listRejected(sql)).rejects.toMatchObject({ code: 'EVT_SCHEMA_NOT_MIGRATED' })
    await migrate(sql, [rejectedMigrations])
  })

  test('are stored byte for byte with their place and error', async () => {
    const error = new UndecodableRecordError('not an envelope: \0')
    await store({ delivery: delivery(), error })
    const [record] = await listRejected(sql, { group: 'shipping' })
    expect(record).toEqual({
      group: 'shipping',
      partition: 3,
      offset: 9_007_199_254_740_993n,
      message: delivery().message,
      errorCode: 'EVT_UNDECODABLE_RECORD',
      errorMessage: 'not an envelope: \ufffd',
      firstSeen: expect.any(Date),
      lastSeen: expect.any(Date),
      timesSeen: 1,
    })
  })

  test('stay one row when they come again, with the latest error', async () => {
    await store({ delivery: delivery(), error: new UnknownEventError('nobody knows it') })
    const records = await listRejected(sql)
    expect(records).toMatchObject([{ timesSeen: 2, errorCode: 'EVT_UNKNOWN_EVENT', errorMessage: 'nobody knows it' }])
  })

  test('are another row when another record has the same place, as in a topic made anew', async () => {
    const error = new UndecodableRecordError('not an envelope')
    const at = (value: Buffer | null) =>
      delivery({ group: 'anew', message: { topic: 'orders', key: null, value, headers: [] } })
    const values = [Buffer.from('before'), Buffer.from('after'), Buffer.alloc(0), null, Buffer.from('after')]
    for (const value of values) await store({ delivery: at(value), error })
    const records = await listRejected(sql, { group: 'anew' })
    expect(records.map(({ message, timesSeen }) => [String(message.value), timesSeen]).sort()).toEqual([
      ['', 1],
      ['after', 2],
      ['before', 1],
      ['null', 1],
    ])
  })

  test('belong to the group that rejected them, and are listed by group and topic', async () => {
    const tombstone: Delivery['message'] = { topic: 'payments', key: null, value: null, headers: [] }
    const error = new UndecodableRecordError('a tombstone')
    await store({ delivery: delivery({ group: 'audit' }), error })
    await store({ delivery: delivery({ group: 'audit', message: tombstone }), error })
    expect((await listRejected(sql, { group: 'audit' })).length).toBe(2)
    expect(await listRejected(sql, { topic: 'payments' })).toMatchObject([{ group: 'audit', message: tombstone }])
    expect((await listRejected(sql, { limit: 1 })).length).toBe(1)
  })
})
