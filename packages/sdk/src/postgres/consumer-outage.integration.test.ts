/** What a consumer with an inbox makes of a database that is away, silent, full, read-only or not set up. */
import { createMemoryBroker } from '@evtkit/sdk/memory'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { countedEvent } from '../../../../test/counted-event.ts'
import { eventually } from '../../../../test/eventually.ts'
import { databaseLink } from '../../../../test/faulty-link.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate } from '../../../../test/recording-sender.ts'
import { type Consumer, createConsumer } from '../core/consumer.ts'
import { silentLogger } from '../core/logger.ts'
import { createProducer } from '../core/producer.ts'
import { createInbox, inboxMigrations } from '../inbox/index.ts'
import { createPostgres, migrate, type PostgresOptions, type Sql, type Tx } from './index.ts'

const database = await freshDatabase()
const sql = database.connect()
const { link, url } = await databaseLink(database.url)
const Counted = countedEvent('counted')
const group = 'counting'

const broker = createMemoryBroker({ logger: silentLogger })
const producer = createProducer({ sender: broker, source: 'test' })
const rejected: unknown[] = []
const attempts = new Map<number, number[]>()
let consumer: Consumer | undefined
let own: Sql | undefined

type Handle = (n: number, tx: Tx) => Promise<unknown>
const insert: Handle = (n, tx) => tx.query('insert into counted (n) values ($1)', [n])

async function consuming(options: PostgresOptions = {}, handle: Handle = insert): Promise<Consumer> {
  own = createPostgres({
    connectionString: url,
    answerTimeoutMs: 150,
    connectTimeoutMs: 300,
    logger: silentLogger,
    ...options,
  })
  const inbox = createInbox({ sql: own, logger: silentLogger })
  consumer = createConsumer({
    source: broker.connect(),
    group,
    rejected: ({ error }) => void rejected.push(error),
    retry: { initialMs: 20, maxMs: 100 },
    probe: { initialMs: 20, maxMs: 100 },
    logger: silentLogger,
  })
  consumer.on(
    Counted,
    inbox.once<'Counted', { key: string; n: number }>(({ data }, context) => {
      attempts.set(data.n, [...(attempts.get(data.n) ?? []), context.delivery.attempt])
      return handle(data.n, context.tx).then(() => {})
    }),
  )
  await consumer.start()
  return consumer
}
const publish = async (from: number, to: number) => {
  for (let n = from; n < to; n++) await producer.publish(Counted, { key: `k${n}`, n })
}
const counted = async () => (await sql.query('select n from counted order by n')).rows.map(({ n }) => n)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const committed = async () =>
  (await broker.committed(group, 'counted')).reduce((sum, { offset }) => sum + Number(offset), 0)

beforeEach(async () => {
  await migrate(sql, [inboxMigrations])
  await sql.query('create table if not exists counted (n integer not null)')
  await sql.query('truncate evtkit_inbox, counted')
  rejected.length = 0
  attempts.clear()
  await broker.createTopics([Counted.topic])
})
afterEach(async () => {
  link.thaw()
  await consumer?.close(1000).catch(() => {})
  await own?.close(1000).catch(() => {})
  await broker.deleteTopics(['counted'])
})
afterAll(async () => {
  await broker.close()
  await link.close()
})

describe('a consumer whose database', () => {
  test('falls silent pauses, names the part, counts no attempt, moves no offset, and goes on when it answers again', async () => {
    const running = await consuming()
    await publish(0, 5)
    await eventually(async () => expect(await committed()).toBe(5))
    link.freeze()
    await publish(5, 15)
    await eventually(() =>
      expect(running.health()).toMatchObject({ ready: false, state: 'outage', detail: /database is down/ }),
    )
    expect(await committed()).toBe(5)
    link.thaw()
    await eventually(async () => expect(await counted()).toEqual(upTo(15)))
    await eventually(async () => expect(await committed()).toBe(15))
    expect(running.health()).toEqual({ ready: true, state: 'running', detail: '' })
    expect(rejected).toEqual([])
    expect([...attempts.values()].flat().every((attempt) => attempt === 1)).toBe(true)
  })

  test('is cut off again and again in the middle of its work applies everything once', async () => {
    await consuming({}, async (n, tx) => {
      await insert(n, tx)
      // Whoever shares the connection or the group is in the middle of it, too.
      if (n % 20 === 0 && attempts.get(n)?.length === 1) link.cut()
    })
    await publish(0, 200)
    await eventually(async () => expect(await committed()).toBe(200))
    expect(await counted()).toEqual(upTo(200))
    expect(attempts.get(0)?.length).toBeGreaterThan(1)
    expect(rejected).toEqual([])
  })

  test.each([
    ['is cut between a commit and its answer', () => link.loseAnswerTo('COMMIT')],
    ['says nothing after a commit', () => link.swallowAnswerTo('COMMIT')],
  ])('%s finds its event handled already: one effect, and the offset moves', async (_, lose) => {
    await consuming()
    lose()
    await publish(0, 1)
    await eventually(async () => expect(await committed()).toBe(1))
    expect(await counted()).toEqual([0])
  })

  test('takes no writes any more waits with a reason, and goes on once it does', async () => {
    const name = new URL(database.url).pathname.slice(1)
    await sql.query(`alter database ${name} set default_transaction_read_only = on`)
    try {
      const running = await consuming()
      await publish(0, 3)
      await eventually(() =>
        expect(running.health()).toMatchObject({ ready: false, detail: /database is down.*read-only transaction/ }),
      )
      expect(await committed()).toBe(0)
    } finally {
      await sql.transaction(async (tx) => {
        await tx.query('set transaction read write')
        await tx.query(`alter database ${name} reset default_transaction_read_only`)
      })
    }
    await eventually(async () => expect(await counted()).toEqual(upTo(3)))
    expect(rejected).toEqual([])
  })

  test('was not migrated sets nothing aside and says which call helps; after that it goes on by itself', async () => {
    await sql.query('drop table evtkit_inbox')
    const running = await consuming()
    await publish(0, 3)
    await eventually(() =>
      expect(running.health()).toMatchObject({ ready: false, detail: /migrate\(sql, \[inboxMigrations\]\)/ }),
    )
    expect(await committed()).toBe(0)
    await sql.query(`delete from evtkit_migrations where name = 'evtkit-inbox'`)
    await migrate(sql, [inboxMigrations])
    await eventually(async () => expect(await counted()).toEqual(upTo(3)))
    await eventually(async () => expect(await committed()).toBe(3))
    expect(rejected).toEqual([])
  })

  test('has no free connection for it calls that an outage, not a failed event', async () => {
    const running = await consuming({ maxConnections: 1, acquireTimeoutMs: 100 })
    const [taking, release] = [gate(), gate()]
    const taken = own?.transaction(async (tx) => {
      await tx.query('select 1')
      taking.open()
      await release.opened
    })
    await taking.opened
    await publish(0, 3)
    await eventually(() => expect(running.health()).toMatchObject({ state: 'outage', detail: /database is down/ }))
    release.open()
    await taken
    await eventually(async () => expect(await counted()).toEqual(upTo(3)))
    expect([...attempts.values()].flat()).toEqual([1, 1, 1])
    expect(rejected).toEqual([])
  })

  test('breaks deadlocks between handlers handles every event once all the same', async () => {
    await sql.query('create table if not exists hot (id integer primary key, hits integer not null)')
    await sql.query('truncate hot; insert into hot values (0, 0), (1, 0)')
    await consuming({}, async (n, tx) => {
      // Half of them lock in the opposite order.
      for (const id of n % 2 === 0 ? [0, 1] : [1, 0])
        await tx.query('update hot set hits = hits + 1 where id = $1', [id])
      await insert(n, tx)
    })
    await publish(0, 60)
    await eventually(async () => expect(await counted()).toEqual(upTo(60)))
    expect((await sql.query('select hits from hot')).rows).toEqual([{ hits: 60 }, { hits: 60 }])
    expect(rejected).toEqual([])
  })
})
