/** What makes relays of other designs lose, stall or overtake rows: gaps in the ids, old transactions, late commits, skewed clocks. */
import { createPostgres, migrate } from '@evtkit/sdk/postgres'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { databaseLink } from '../../../../test/faulty-link.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { gate, RecordingSender, textMessage } from '../../../../test/recording-sender.ts'
import { BrokerUnavailableError } from '../core/errors.ts'
import { silentLogger } from '../core/logger.ts'
import { createOutbox, createRelay, outboxMigrations, type Relay, type RelayOptions } from './index.ts'

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 60 })
const outbox = createOutbox()
const quick = { balanceMs: 50, backoff: { initialMs: 20, maxMs: 100 }, logger: silentLogger } as const

beforeAll(async () => {
  await migrate(sql, [outboxMigrations])
})
beforeEach(async () => {
  await sql.query('truncate evtkit_outbox, evtkit_outbox_set_aside restart identity')
})

const depth = async () => Number((await sql.query('select count(*) as n from evtkit_outbox')).rows[0]?.n)
const send = (key: string, value: string) => sql.transaction((tx) => outbox.in(tx).send([textMessage(key, value)]))

async function withRelays<T>(
  options: readonly Omit<RelayOptions, 'sql'>[],
  work: (relays: readonly Relay[]) => Promise<T>,
): Promise<T> {
  const relays = options.map((each) => createRelay({ sql, ...quick, ...each }))
  try {
    await Promise.all(relays.map((relay) => relay.start()))
    return await work(relays)
  } finally {
    await Promise.all(relays.map((relay) => relay.close()))
  }
}

/** The same numbers on every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

describe('ids that were drawn in another order than their transactions ended', () => {
  test('lose nothing: fifty writers that hold and roll back as they like, against a relay that claims all the time', async () => {
    const random = seeded(1)
    const committed: string[] = []
    const sender = new RecordingSender()
    await withRelays([{ sender, batchSize: 5 }], async () => {
      const writer = async (name: number) => {
        for (let i = 0; i < 12; i++) {
          const [holdMs, rollsBack] = [random() * 60, random() < 0.2]
          const value = `${name}.${i}`
          await sql
            .transaction(async (tx) => {
              await outbox.in(tx).send([textMessage(`w${name}`, value), textMessage(null, value)])
              // The id is drawn here; others draw theirs and commit while this one is held.
              await tx.query(`select pg_sleep($1::float8)`, [holdMs / 1000])
              if (rollsBack) throw new Error('rolled back on purpose')
              committed.push(value)
            })
            .catch((error: Error) => expect(error.message).toBe('rolled back on purpose'))
        }
      }
      await Promise.all(Array.from({ length: 50 }, (_, name) => writer(name)))
      await eventually(async () => expect(await depth()).toBe(0))
    })
    expect(committed.length).toBeGreaterThan(400)
    expect(sender.values().sort()).toEqual([...committed, ...committed].sort())
    for (let name = 0; name < 50; name++)
      expect(sender.values(`w${name}`)).toEqual(committed.filter((value) => value.startsWith(`${name}.`)))
  })

  test('do not count as seen when they become visible between two looks: each claim is one snapshot from the lowest id on', async () => {
    const sender = new RecordingSender()
    // The send of each batch is held until a row with a lower id than what was just claimed has been committed.
    const late = gate()
    const drawn = gate()
    const low = sql.transaction(async (tx) => {
      await outbox.in(tx).send([textMessage('low', 'late')])
      await tx.query('select 1')
      drawn.open()
      await late.opened
    })
    await drawn.opened
    for (let i = 0; i < 10; i++) await send(`high${i}`, String(i))
    sender.before = async () => {
      late.open()
      await low
    }
    await withRelays([{ sender, batchSize: 10 }], async () => {
      await eventually(async () => expect(await depth()).toBe(0))
    })
    expect(sender.values()).toHaveLength(11)
    expect(sender.values('low')).toEqual(['late'])
  })

  test('and never used, a thousand of them, hold nothing up: the next row is relayed as ever', async () => {
    const sender = new RecordingSender()
    await withRelays([{ sender }], async () => {
      for (let i = 0; i < 1000; i += 50)
        await Promise.all(
          Array.from({ length: 50 }, () =>
            sql
              .transaction(async (tx) => {
                await outbox.in(tx).send([textMessage(null, 'never')])
                await tx.query('select 1')
                throw new Error('rolled back on purpose')
              })
              .catch(() => {}),
          ),
        )
      await send('a', 'after the gap')
      await eventually(() => expect(sender.values()).toEqual(['after the gap']))
    })
    const { rows } = await sql.query(`select nextval(pg_get_serial_sequence('evtkit_outbox', 'id')) as next`)
    expect(Number(rows[0]?.next)).toBeGreaterThan(1000)
  })
})

describe('an old writing transaction', () => {
  test.each([
    ['in another database of the server', 'other'],
    ['in another table of this database', 'same'],
    ['that has sent another key itself', 'outbox'],
  ])('%s stalls nobody: later rows are relayed, to the last one', async (_, where) => {
    const elsewhere = where === 'other' ? await freshDatabaseBeside() : undefined
    const holder = elsewhere?.sql ?? sql
    await holder.query('create table if not exists long_work (id integer)')
    const holds = gate()
    const release = gate()
    const old = holder.transaction(async (tx) => {
      if (where === 'outbox') await outbox.in(tx).send([textMessage('old', 'old')])
      await tx.query('insert into long_work values (1)')
      holds.open()
      await release.opened
    })
    try {
      await holds.opened
      const sender = new RecordingSender()
      await withRelays([{ sender, outbox: createOutbox() }], async (relays) => {
        for (let i = 0; i < 20; i++) await send(`k${i % 3}`, String(i))
        // Nothing is inserted after that and nobody rings: the last one, too, is found by polling.
        await eventually(() => expect(sender.appended.length).toBe(20))
        expect(relays[0]?.health()).toEqual({ ready: true, state: 'running', detail: '' })
        release.open()
        await old
        if (where === 'outbox') await eventually(() => expect(sender.values('old')).toEqual(['old']))
        await eventually(async () => expect(await depth()).toBe(0))
      })
    } finally {
      release.open()
      await old
      await elsewhere?.drop()
    }
  })
})

describe('one key', () => {
  test('keeps its order though two relays share the work and the one that has it is slow', async () => {
    const order: string[] = []
    const senders = [new RecordingSender(), new RecordingSender()]
    for (const sender of senders) {
      sender.before = () => new Promise((resolve) => setTimeout(resolve, 15))
      sender.after = (messages) => void order.push(...messages.map(({ value }) => String(value)))
    }
    const options = senders.map((sender) => ({ sender, batchSize: 5, balanceMs: 20 }))
    await withRelays(options, async () => {
      for (let i = 0; i < 100; i++) await send('only', String(i))
      await eventually(() => expect(order.length).toBe(100))
    })
    expect(order).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  })

  test('keeps the order of its versions over a thousand races, whatever the clocks of the writers say', async () => {
    const random = seeded(2)
    await sql.query('create table if not exists aggregates (key text primary key, version integer not null)')
    await sql.query(`truncate aggregates; insert into aggregates values ('r0', 0), ('r1', 0)`)
    const sender = new RecordingSender()
    await withRelays([{ sender, batchSize: 20 }], async () => {
      const write = async (i: number) => {
        const key = `r${i % 2}`
        await sql.transaction(async (tx) => {
          const bump = 'update aggregates set version = version + 1 where key = $1 returning version'
          const { rows } = await tx.query(bump, [key])
          // A clock that is wrong by up to an hour either way.
          const timestamp = Math.round(1_750_000_000_000 + (random() - 0.5) * 7_200_000)
          await outbox.in(tx).send([{ ...textMessage(key, String(rows[0]?.version)), timestamp }])
        })
      }
      for (let round = 0; round < 40; round++) await Promise.all(Array.from({ length: 50 }, (_, i) => write(i)))
      await eventually(() => expect(sender.appended.length).toBe(2000))
    })
    for (const key of ['r0', 'r1'])
      expect(sender.values(key)).toEqual(Array.from({ length: 1000 }, (_, i) => String(i + 1)))
  })

  test('waits behind its failed row, while other keys flow', async () => {
    const sender = new RecordingSender()
    sender.stopsKey = true
    let broken = true
    sender.refuse = ({ value }) =>
      broken && String(value) === 'A' ? new BrokerUnavailableError('this partition has no leader') : undefined
    await send('a', 'A')
    await withRelays([{ sender, batchSize: 2 }], async () => {
      await send('other', '0')
      await eventually(() => expect(sender.values()).toEqual(['0']))
      await send('a', 'B')
      for (let i = 1; i < 20; i++) await send('other', String(i))
      await eventually(() => expect(sender.values('other')).toHaveLength(20))
      expect(sender.values('a')).toEqual([])
      broken = false
      await eventually(() => expect(sender.values('a')).toEqual(['A', 'B']))
    })
  })
})

test('a relay whose line to the database is cut without a word says so, and goes on by itself within its bound', async () => {
  const { link, url } = await databaseLink(database.url)
  const own = createPostgres({
    connectionString: url,
    answerTimeoutMs: 200,
    connectTimeoutMs: 200,
    logger: silentLogger,
  })
  const sender = new RecordingSender()
  const relay = createRelay({ sql: own, sender, ...quick })
  try {
    await relay.start()
    await send('a', '1')
    await eventually(() => expect(sender.values()).toEqual(['1']))
    link.freeze()
    await send('a', '2')
    await eventually(() => expect(relay.health()).toMatchObject({ ready: false, state: 'unavailable' }))
    link.thaw()
    await eventually(() => expect(sender.values()).toEqual(['1', '2']))
    await eventually(() => expect(relay.health().ready).toBe(true))
  } finally {
    link.thaw()
    await relay.close()
    await own.close()
    await link.close()
  }
})

test('a relay whose database does not answer closes at its deadline, and lets go of its share at once', async () => {
  const own = database.connect({ applicationName: 'stuck-relay', logger: silentLogger })
  const relay = createRelay({ sql: own, sender: new RecordingSender(), ...quick })
  const release = gate()
  const locked = gate()
  const holder = sql.transaction(async (tx) => {
    await tx.query('lock table evtkit_outbox in access exclusive mode')
    locked.open()
    await release.opened
  })
  await locked.opened
  const started = relay.start()
  const backends = async (state: string) => {
    const { rows } = await sql.query(
      `select count(*)::int4 as n from pg_stat_activity where application_name = 'stuck-relay' and ${state}`,
    )
    return rows[0]?.n
  }
  await eventually(async () => expect(await backends(`wait_event_type = 'Lock'`)).toBe(1))
  await expect(relay.close(50)).rejects.toMatchObject({ code: 'EVT_CLOSE_DEADLINE' })
  expect(relay.health().state).toBe('closed')
  release.open()
  await holder
  await started
  await eventually(async () => expect(await backends('true')).toBe(0))
})

test('the table stays as small as its largest backlog however many rows pass, and nothing unsent is removed', async () => {
  const sender = new RecordingSender()
  const size = async () =>
    Number((await sql.query(`select pg_total_relation_size('evtkit_outbox')::int4 as bytes`)).rows[0]?.bytes)
  const burst = async (round: number) => {
    await sql.transaction((tx) =>
      outbox.in(tx).send(Array.from({ length: 1000 }, (_, i) => textMessage(`k${i % 50}`, `${round}.${i}`))),
    )
    await eventually(async () => expect(await depth()).toBe(0))
    // What autovacuum does on a server that is left to itself.
    await sql.query('vacuum evtkit_outbox')
  }
  await withRelays([{ sender }], async () => {
    await burst(0)
    await burst(1)
    const small = await size()
    for (let round = 2; round < 20; round++) await burst(round)
    expect(await size()).toBeLessThanOrEqual(small * 2)
  })
  expect(new Set(sender.values()).size).toBe(20_000)
  expect(sender.values()).toHaveLength(20_000)
})

async function freshDatabaseBeside() {
  const name = `beside_${process.pid}_${Date.now()}`
  await sql.query(`create database ${name}`)
  const url = new URL(database.url)
  url.pathname = `/${name}`
  const beside = createPostgres({ connectionString: url.href })
  return {
    sql: beside,
    drop: async () => {
      await beside.close()
      await sql.query(`drop database ${name} with (force)`)
    },
  }
}
