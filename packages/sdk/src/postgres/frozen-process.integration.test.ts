import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startChild } from '../../../../test/child.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { contextOf, eventOf } from '../../../../test/one-event.ts'
import { newUuid } from '../core/ids.ts'
import { createInbox, inboxMigrations } from '../inbox/index.ts'
import { migrate } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
const reserved = async () => (await sql.query('select reserved from stock')).rows[0]?.reserved

beforeAll(async () => {
  await migrate(sql, [inboxMigrations])
  await sql.query('create table stock (sku text primary key, reserved integer not null)')
})
beforeEach(async () => {
  await sql.query(`truncate evtkit_inbox, stock; insert into stock values ('hot', 0)`)
})

describe('a process that is frozen in the middle of a transaction', () => {
  const freeze = async (eventId: string) => {
    const child = startChild('inbox-member', {
      DATABASE_URL: database.url,
      EVENT_ID: eventId,
      IDLE_IN_TRANSACTION_MS: '300',
    })
    await child.said('in the middle')
    child.kill('SIGSTOP')
    return child
  }
  const thaw = async (child: Awaited<ReturnType<typeof freeze>>) => {
    child.kill('SIGCONT')
    child.kill('SIGUSR2')
    expect(await child.exited).toMatchObject({ code: 0 })
  }

  test('keeps another member from its event no longer than its bound, and cannot commit once it wakes', async () => {
    const eventId = newUuid()
    const child = await freeze(eventId)
    const another = createInbox({ sql }).once(async (_event, { tx }) => {
      await tx.query(`update stock set reserved = reserved + 1 where sku = 'hot'`)
    })
    await another(eventOf(eventId), contextOf())
    expect(await reserved()).toBe(1)
    await thaw(child)
    expect(child.output).toContain('refused: 25P03')
    expect(await reserved()).toBe(1)
  })

  test('keeps nobody from the rows it has locked longer than that either', async () => {
    const child = await freeze(newUuid())
    await sql.query(`update stock set reserved = reserved + 10 where sku = 'hot'`)
    await thaw(child)
    expect(child.output).toContain('refused: 25P03')
    expect(await reserved()).toBe(10)
  })
})
