import type { RawMessage, Sender } from '@evtkit/sdk'
import { migrate, type Sql, type Tx } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, createRelay, outboxMigrations } from './index.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 30 })
const outbox = createOutbox()

beforeAll(async () => {
  await migrate(sql, [outboxMigrations])
})
beforeEach(async () => {
  await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
})

/** Makes the statement leave at once, so that the transaction has its place while it stays open. */
async function sendNow(tx: Tx, sender: Sender, messages: readonly RawMessage[]): Promise<void> {
  await sender.send(messages)
  await tx.query('select 1')
}

/** A transaction that has sent its messages and commits, or rolls back, when told to. */
async function openTransaction(messages: readonly RawMessage[]) {
  const sent = gate()
  const verdict = gate()
  let failure: Error | undefined
  const ended = sql.transaction(async (tx) => {
    await sendNow(tx, outbox.in(tx), messages)
    sent.open()
    await verdict.opened
    if (failure !== undefined) throw failure
  })
  await sent.opened
  return {
    commit: async () => {
      verdict.open()
      await ended
    },
    rollBack: async () => {
      failure = new Error('rolled back on purpose')
      verdict.open()
      await ended.catch(() => {})
    },
  }
}

async function waitingForLock(database: Sql): Promise<number> {
  const { rows } = await database.query(
    `select count(*)::int4 as count from pg_locks where locktype = 'advisory' and not granted
     and database = (select oid from pg_database where datname = current_database())`,
  )
  return Number(rows[0]?.count)
}

async function relaying<T>(sender: RecordingSender, work: () => Promise<T>): Promise<T> {
  const relay = createRelay({ sql, sender, outbox })
  await relay.start()
  try {
    return await work()
  } finally {
    await relay.close()
  }
}

test('messages sent one by one in a transaction are kept as they were sent, byte for byte and in that order', async () => {
  const messages = Array.from(
    { length: 75 },
    (_, i): RawMessage => ({
      topic: 'orders',
      key: i % 7 === 0 ? null : Buffer.from([0xff, i % 3]),
      value: i % 11 === 0 ? null : Buffer.from([0x00, 0x5c, i]),
      headers: [['n', Buffer.from([i])]],
      ...(i % 2 === 0 && { timestamp: 1_760_000_000_000 + i }),
    }),
  )
  await sql.transaction(async (tx) => {
    const sender = outbox.in(tx)
    for (const message of messages) await sender.send([message])
  })
  const { rows } = await sql.query('select topic, key, value, timestamp_ms from evtkit_outbox order by id')
  expect(rows).toEqual(
    messages.map(({ topic, key, value, timestamp }) => ({
      ...{ topic, key, value },
      timestamp_ms: timestamp === undefined ? null : String(timestamp),
    })),
  )
})

describe('order in the outbox', () => {
  test('a row whose transaction commits after a later row was relayed is relayed all the same', async () => {
    const sender = new RecordingSender()
    const early = await openTransaction([textMessage('a', 'low id, late commit')])
    await sql.transaction((tx) => outbox.in(tx).send([textMessage('b', 'high id, early commit')]))
    await relaying(sender, async () => {
      await eventually(() => expect(sender.values()).toEqual(['high id, early commit']))
      await early.commit()
      await eventually(() => expect(sender.values()).toEqual(['high id, early commit', 'low id, late commit']))
    })
  })

  test('of one key, the transaction that comes second draws its id only after the first has committed', async () => {
    const first = await openTransaction([textMessage('a', '1')])
    const second = sql.transaction((tx) => outbox.in(tx).send([textMessage('a', '2')]))
    await eventually(async () => expect(await waitingForLock(sql)).toBe(1))
    // Another key takes the next id meanwhile: had the waiting one drawn its id before the lock, it would be lower.
    await sql.transaction((tx) => outbox.in(tx).send([textMessage('b', 'between')]))
    await first.commit()
    await second
    const { rows } = await sql.query('select value from evtkit_outbox order by id')
    expect(rows.map((row) => String(row.value))).toEqual(['1', 'between', '2'])
  })

  test('the same holds for a send of several messages: every lock comes before the first id', async () => {
    const first = await openTransaction([textMessage('z', '1')])
    const second = sql.transaction((tx) => outbox.in(tx).send([textMessage('y', '2'), textMessage('z', '3')]))
    await eventually(async () => expect(await waitingForLock(sql)).toBe(1))
    await sql.transaction((tx) => outbox.in(tx).send([textMessage('b', 'between')]))
    await first.commit()
    await second
    const { rows } = await sql.query('select value from evtkit_outbox order by id')
    expect(rows.map((row) => String(row.value))).toEqual(['1', 'between', '2', '3'])
  })

  test('transactions that send with the same keys in opposite orders do not deadlock', async () => {
    const keys = ['k1', 'k2', 'k3', 'k4', 'k5']
    const rounds = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? keys : [...keys].reverse()))
    await Promise.all(
      rounds.map((order, i) =>
        sql.transaction((tx) => outbox.in(tx).send(order.map((key) => textMessage(key, `${key}.${i}`)))),
      ),
    )
    const { rows } = await sql.query('select count(*)::int4 as count from evtkit_outbox')
    expect(rows[0]?.count).toBe(1000)
  })

  test('transactions of different keys do not wait for each other', async () => {
    const held = await openTransaction([textMessage('a', '1')])
    await sql.transaction((tx) => outbox.in(tx).send([textMessage('b', '2')]))
    await held.commit()
  })

  test('messages without a key never wait', async () => {
    const held = await openTransaction([textMessage(null, '1')])
    await sql.transaction((tx) => outbox.in(tx).send([textMessage(null, '2'), textMessage(null, '3')]))
    await held.commit()
  })

  test('many ids that were drawn and rolled back hold nothing up', async () => {
    for (let i = 0; i < 20; i++) {
      const abandoned = await openTransaction(Array.from({ length: 50 }, (_, n) => textMessage(`k${n}`, 'never')))
      await abandoned.rollBack()
    }
    const sender = new RecordingSender()
    await relaying(sender, async () => {
      await sql.transaction((tx) => outbox.in(tx).send([textMessage('a', 'after the gap')]))
      await eventually(() => expect(sender.values()).toEqual(['after the gap']))
    })
  })

  test('writers racing on a few keys are relayed in the order of their versions, whatever rolls back', async () => {
    await sql.query('create table if not exists race (key text primary key, version integer not null)')
    await sql.query('truncate race')
    const keys = ['r1', 'r2', 'r3']
    for (const key of keys) await sql.query('insert into race values ($1, 0)', [key])
    const sender = new RecordingSender()
    await relaying(sender, async () => {
      const write = async (i: number) => {
        const key = keys[i % keys.length] ?? ''
        await sql
          .transaction(async (tx) => {
            const { rows } = await tx.query('update race set version = version + 1 where key = $1 returning version', [
              key,
            ])
            await outbox.in(tx).send([textMessage(key, String(rows[0]?.version))])
            if (i % 5 === 0) throw new Error('rolled back on purpose')
          })
          .catch(() => {})
      }
      for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 30 }, (_, i) => write(i)))
      await eventually(() => expect(sender.appended.length).toBe(240))
    })
    for (const key of keys) expect(sender.values(key)).toEqual(Array.from({ length: 80 }, (_, i) => String(i + 1)))
  })
})
