/** The inbox: an effect and an event that follows from it, once per event, against the same handler that remembers nothing. */
import { type Context, createProducer, type Envelope, type Handler, newUuid } from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createOutbox, outboxMigrations } from '@evtkit/sdk/outbox'
import { createPostgres, migrate, type Sql, type Tx } from '@evtkit/sdk/postgres'
import { runCallers } from '../callers.ts'
import type { BenchmarkCase, Contender, Suite } from '../case.ts'
import { order } from '../order-event.ts'
import { OrderPlaced } from './outbox-world.ts'

type Placed = ReturnType<typeof order>
type PlacedHandler = Handler<string, Placed, { readonly tx: Tx }>

/** Accounts that events of different keys do not share. */
const accounts = 10_000
/** Calls at once where events come in batches. */
const many = 256

export const inboxSuite: Suite = {
  name: 'inbox',
  async open(servers) {
    const databaseUrl = await servers.databaseUrl()
    const opened: Sql[] = []
    const connect = (maxConnections: number) => {
      const sql = createPostgres({ connectionString: databaseUrl, maxConnections })
      opened.push(sql)
      return sql
    }
    const sql = connect(8)
    await migrate(sql, [outboxMigrations, inboxMigrations])
    await sql.query('create table accounts (id integer primary key, orders integer not null)')
    const world: InboxWorld = { sql, connect, handler: bookOrder() }
    return {
      cases: [oneByOne(world), grouped(world, 1, 8), grouped(world, 8, 3), duplicates(world), hotRows(world)],
      async close() {
        for (const one of opened) await one.close()
      },
    }
  },
}

interface InboxWorld {
  readonly sql: Sql
  connect(maxConnections: number): Sql
  /** Two statements that wait for each other: one row changed, one event promised. */
  handler: PlacedHandler
}

function bookOrder(): PlacedHandler {
  const outbox = createOutbox()
  const producer = createProducer({
    sender: { send: () => Promise.reject(new Error('everything is published through the outbox here')) },
    source: 'benchmark',
  })
  return async (event, { tx }) => {
    await tx.query('update accounts set orders = orders + 1 where id = $1', [event.data.totalCents % accounts])
    await producer.causedBy(event).through(outbox.in(tx)).publish(OrderPlaced, event.data)
  }
}

/** One event after the other, as for a single busy key. */
function oneByOne(world: InboxWorld): BenchmarkCase {
  const sql = world.connect(1)
  return {
    name: 'inbox/one-by-one',
    contenders: [
      withoutMemory(world, sql, 1),
      withInbox('inbox.once', world, [createInbox({ sql }).once(world.handler)], 1),
    ],
    targets: [{ contender: 'inbox.once', measure: 'ratio', atLeast: 0.72 }],
  }
}

/** Many events at once, of different keys, against a transaction for each on so many connections. */
function grouped(world: InboxWorld, connections: number, atLeast: number): BenchmarkCase {
  const sql = world.connect(connections)
  return {
    name: `inbox/many-at-once-${connections}-connection${connections === 1 ? '' : 's'}`,
    contenders: [
      withoutMemory(world, sql, connections),
      withInbox('inbox.once', world, [createInbox({ sql }).once(world.handler)], many),
    ],
    targets: [{ contender: 'inbox.once', measure: 'ratio', atLeast }],
  }
}

/** Events all of which were handled before. */
function duplicates(world: InboxWorld): BenchmarkCase {
  const known = Array.from({ length: 50_000 }, () => newUuid())
  const events = known.map((id, n) => placed(n, id))
  const run = (name: string, maxGroupSize: number, callers: number): Contender => {
    const sql = world.connect(1)
    const once = createInbox({ sql, maxGroupSize }).once(() => Promise.reject(new Error('a duplicate was handled')), {
      name: 'duplicates',
    })
    return {
      name,
      async run(round) {
        await empty(world)
        await world.sql.query(
          `insert into evtkit_inbox (event_id, consumer_group, handler) select id, 'bench', 'duplicates' from unnest($1::uuid[]) id`,
          [known],
        )
        return runCallers(callers, round, async (n) => once(events[n % events.length] ?? placed(n), contextOf(n)))
      },
    }
  }
  return {
    name: 'inbox/duplicates',
    contenders: [run('a transaction each', 1, 1), run('inbox.once', 512, 2048)],
    targets: [{ contender: 'inbox.once', measure: 'perSecond', atLeast: 100_000 }],
  }
}

/** Two instances whose events all change the same few rows. */
function hotRows(world: InboxWorld): BenchmarkCase {
  const hot: PlacedHandler = (event, context) =>
    world.handler({ ...event, data: { ...event.data, totalCents: event.data.totalCents % 50 } }, context)
  const instances = (maxGroupSize: number) =>
    [world.connect(8), world.connect(8)].map((sql) => createInbox({ sql, maxGroupSize }).once(hot))
  return {
    name: 'inbox/50-hot-rows-2-instances',
    contenders: [
      withInbox('a transaction each', world, instances(1), 16),
      withInbox('inbox.once', world, instances(128), 16),
    ],
    targets: [{ contender: 'inbox.once', measure: 'ratio', atLeast: 0.8 }],
  }
}

function withoutMemory(world: InboxWorld, sql: Sql, callers: number): Contender {
  return {
    name: 'no memory, a transaction each',
    async run(round) {
      await empty(world)
      return runCallers(callers, round, (n) =>
        sql.transaction(async (tx) => {
          const { delivery, group, signal } = contextOf(n)
          await world.handler(placed(n), { delivery, group, signal, tx })
        }),
      )
    },
  }
}

function withInbox(
  name: string,
  world: InboxWorld,
  instances: readonly Handler<string, Placed>[],
  callers: number,
): Contender {
  return {
    name,
    async run(round) {
      await empty(world)
      return runCallers(callers * instances.length, round, async (n, caller) =>
        instances[caller % instances.length]?.(placed(n), contextOf(n)),
      )
    },
  }
}

async function empty({ sql }: InboxWorld): Promise<void> {
  await sql.query(`truncate evtkit_inbox, evtkit_outbox, accounts;
    insert into accounts select id, 0 from generate_series(0, ${accounts - 1}) id`)
  await sql.query('vacuum analyze accounts')
}

function placed(n: number, eventId = newUuid()): Envelope<string, Placed> {
  return {
    eventId,
    eventType: OrderPlaced.type,
    eventVersion: 'v1',
    timestamp: '2026-01-02T03:04:05.000Z',
    source: 'benchmark',
    correlationId: eventId,
    causationId: null,
    data: { ...order(n), totalCents: n },
    metadata: {},
  }
}

function contextOf(n: number): Context {
  const message = { topic: OrderPlaced.topic.name, key: Buffer.from(`key-${n}`), value: null, headers: [] }
  let controller: AbortController | undefined
  return {
    delivery: { message, partition: 0, offset: BigInt(n), group: 'bench', attempt: 1, replay: null },
    group: 'bench',
    // One of its own, made when it is asked for, as every delivery has.
    get signal() {
      controller ??= new AbortController()
      return controller.signal
    },
  }
}
