import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Conditions } from '../conditions.ts'
import { defineScenario } from '../scenario.ts'

/** Products that most orders want, in the order opposite to the one in which inventory locks them. */
const wanted = ['teapot', 'poster', 'notebook', 'mug', 'lamp']

export const locksAndLimits = defineScenario({
  name: 'locks-and-limits',
  faults: ['F17'],
  about: 'sessions lock rows the other way round, hold locks for long, and take up every connection',
  boundMs: 60_000,
  draw: (dice) => ({
    deadlockMs: dice.whole(3000, 5000),
    heldMs: dice.whole(3000, 6000),
    fullMs: dice.whole(2000, 4000),
  }),
  async run(conditions, { deadlockMs, heldMs, fullMs }) {
    const crossed = await conditions.strike('locked the other way round', 'inventory')
    await crossed.heal(await whileCountingWaits(conditions, () => lockTheOtherWayRound(conditions, deadlockMs)))

    const held = await conditions.strike('locks held', 'inventory')
    await held.heal(await whileCountingWaits(conditions, () => holdLocks(conditions, heldMs)))

    const full = await conditions.strike('no connection left', 'postgres')
    await full.heal(await takeEveryConnection(conditions, fullMs))
  },
})

async function lockTheOtherWayRound(conditions: Conditions, forMs: number): Promise<void> {
  const end = performance.now() + forMs
  await withSession(conditions, 'inventory', async (session) => {
    while (performance.now() < end) {
      try {
        await session.query('begin')
        for (const sku of wanted) {
          await session.query('select from stock where sku = $1 for update', [sku])
          await session.query('select pg_sleep(0.15)')
        }
      } catch {
        // This session was the one that the database chose to end the deadlock.
      }
      await session.query('rollback')
    }
  })
}

function holdLocks(conditions: Conditions, forMs: number): Promise<void> {
  return withSession(conditions, 'inventory', async (session) => {
    await session.query('begin')
    await session.query('select from stock where sku = any($1) order by sku for update', [wanted])
    await conditions.pause(forMs)
    await session.query('rollback')
  })
}

/** @returns how often a session of inventory was seen waiting for a lock meanwhile */
async function whileCountingWaits({ world }: Conditions, work: () => Promise<void>): Promise<number> {
  let seen = 0
  let working = true
  const watch = (async () => {
    while (working) {
      const rows = await world.gauge.query(
        'inventory',
        `select count(*)::int as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and application_name <> 'trouble'`,
      )
      seen += Number(rows?.[0]?.count ?? 0)
      await sleep(50)
    }
  })()
  try {
    await work()
  } finally {
    working = false
    await watch
  }
  return seen
}

/** @returns how many connections were taken */
async function takeEveryConnection(conditions: Conditions, forMs: number): Promise<number> {
  const { world } = conditions
  const taken: pg.Client[] = []
  const take = async () => {
    const client = new pg.Client({ connectionString: world.databaseUrlOf('orders'), connectionTimeoutMillis: 3000 })
    client.on('error', () => {})
    await client.connect()
    taken.push(client)
  }
  try {
    await withSession(conditions, 'orders', async (session) => {
      const end = performance.now() + forMs
      while (performance.now() < end) {
        // Taken until the server says that there is none, and those of the services ended, so that they want new ones.
        while (
          performance.now() < end &&
          (await take().then(
            () => true,
            () => false,
          ))
        );
        await session.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where application_name like 'shop-%' or application_name like 'cart%'`,
        )
        await conditions.pause(100)
      }
    })
  } finally {
    await Promise.all(taken.map((client) => client.end().catch(() => {})))
  }
  return taken.length
}

export const databaseReadOnly = defineScenario({
  name: 'database-read-only',
  faults: ['F18'],
  about: 'the database takes no writes for a while, as after a failover to a standby',
  boundMs: 60_000,
  draw: (dice) => ({ forMs: dice.whole(4000, 8000) }),
  async run(conditions, { forMs }) {
    const strike = await conditions.strike('read-only', 'postgres')
    await setReadOnly(conditions, true)
    try {
      await conditions.pause(forMs)
    } finally {
      await setReadOnly(conditions, false)
    }
    await strike.heal()
  },
})

function setReadOnly(conditions: Conditions, on: boolean): Promise<void> {
  return withSession(conditions, 'orders', async (session) => {
    await session.query('set default_transaction_read_only = off')
    await session.query(
      `alter system ${on ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`,
    )
    await session.query('select pg_reload_conf()')
  })
}

async function withSession(
  { world }: Conditions,
  service: string,
  work: (session: pg.Client) => Promise<void>,
): Promise<void> {
  const session = new pg.Client({ connectionString: world.databaseUrlOf(service), application_name: 'trouble' })
  session.on('error', () => {})
  await session.connect()
  try {
    await work(session)
  } finally {
    await session.end()
  }
}
