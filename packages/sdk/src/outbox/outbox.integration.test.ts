import { NotATransactionError, SchemaNotMigratedError } from '@evtkit/sdk'
import { migrate, type Tx, transactionOf } from '@evtkit/sdk/postgres'
import { Client } from 'pg'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { textMessage } from '../../../../test/recording-sender.ts'
import { createOutbox, outboxMigrations } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
const outbox = createOutbox()

const values = async () => {
  const { rows } = await sql.query('select value from evtkit_outbox order by id')
  return rows.map((row) => String(row.value))
}

test('a database without the table is refused with the call that helps', async () => {
  const send = sql.transaction((tx) => outbox.in(tx).send([textMessage('a', '1')]))
  await expect(send).rejects.toThrow(SchemaNotMigratedError)
  await expect(send).rejects.toThrow('migrate(sql, [outboxMigrations])')
})

describe('an outbox bound to a transaction', () => {
  beforeAll(async () => {
    await migrate(sql, [outboxMigrations])
    await sql.query('create table orders (id text primary key)')
  })
  beforeEach(async () => {
    await sql.query('truncate evtkit_outbox, orders')
  })

  test('keeps the messages when it commits, and none when it does not', async () => {
    await sql.transaction(async (tx) => {
      await tx.query('insert into orders values ($1)', ['o-1'])
      await outbox.in(tx).send([textMessage('o-1', 'created')])
    })
    const failed = sql.transaction(async (tx) => {
      await outbox.in(tx).send([textMessage('o-2', 'never')])
      await tx.query('insert into orders values ($1)', ['o-1'])
    })
    await expect(failed).rejects.toMatchObject({ code: '23505' })
    expect(await values()).toEqual(['created'])
  })

  test('keeps the order of several sends', async () => {
    await sql.transaction(async (tx) => {
      const sender = outbox.in(tx)
      await sender.send([textMessage('a', '1'), textMessage(null, '2'), textMessage('b', '3')])
      await sender.send([textMessage('a', '4')])
    })
    expect(await values()).toEqual(['1', '2', '3', '4'])
  })

  test('tells its listeners once per commit, and not after a rollback', async () => {
    const heard = vi.fn()
    const stop = outbox.onAppend(heard)
    await sql.transaction(async (tx) => {
      await outbox.in(tx).send([])
    })
    expect(heard).not.toHaveBeenCalled()
    await sql
      .transaction(async (tx) => {
        await outbox.in(tx).send([textMessage('a', '1')])
        throw new Error('rolled back on purpose')
      })
      .catch(() => {})
    expect(heard).not.toHaveBeenCalled()
    await sql.transaction(async (tx) => {
      const sender = outbox.in(tx)
      await sender.send([textMessage('a', '1')])
      await sender.send([textMessage('a', '2')])
      expect(heard).not.toHaveBeenCalled()
    })
    expect(heard).toHaveBeenCalledTimes(1)
    stop()
  })

  test('takes a transaction of a pg client of one’s own', async () => {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    const heard = vi.fn()
    const stop = outbox.onAppend(heard)
    try {
      await client.query('BEGIN')
      await client.query('insert into orders values ($1)', ['o-1'])
      const tx = transactionOf(client)
      await outbox.in(tx).send([textMessage('o-1', 'created')])
      expect(await values()).toEqual([])
      await client.query('COMMIT')
      tx.committed()
      expect(await values()).toEqual(['created'])
      expect(heard).toHaveBeenCalledTimes(1)
      await expect(outbox.in(tx).send([textMessage('o-1', 'late')])).rejects.toThrow(NotATransactionError)
    } finally {
      stop()
      await client.end()
    }
  })

  test('refuses what is not a transaction, saying what came and what to pass', () => {
    // What the compiler refuses may still come from JavaScript.
    const impostor = (value: unknown) => () => outbox.in(value as Tx)
    expect(impostor(sql)).toThrow(NotATransactionError)
    expect(impostor(sql)).toThrow(/got a database \(Sql\).*sql\.transaction\(async \(tx\)/)
    expect(impostor(undefined)).toThrow(/got undefined/)
    expect(impostor({ query: async () => ({ rows: [], rowCount: 0 }) })).toThrow(/got an object \(Object\)/)
  })

  test('refuses a transaction that has ended', async () => {
    let leaked: Tx | undefined
    await sql.transaction((tx) => {
      leaked = tx
    })
    const tx = leaked
    if (tx === undefined) throw new Error('the transaction did not run')
    await expect(outbox.in(tx).send([textMessage('a', '1')])).rejects.toThrow(NotATransactionError)
    expect(await values()).toEqual([])
  })
})
