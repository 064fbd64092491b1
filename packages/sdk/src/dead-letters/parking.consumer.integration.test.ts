import {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createProducer,
  DatabaseUnavailableError,
  defineEvent,
  defineTopic,
  type Envelope,
  type Handler,
  isEvtError,
  silentLogger,
} from '@evtkit/sdk'
import { createInbox, inboxMigrations } from '@evtkit/sdk/inbox'
import { createMemoryBroker, type MemoryBroker } from '@evtkit/sdk/memory'
import { migrate, type Sql } from '@evtkit/sdk/postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { freshDatabase } from '../../../../test/fresh-database.ts'
import { collectRejections } from '../testing/rejections.ts'
import { createParking, deadLetterMigrations, type ParkingOptions } from './index.ts'
import { seeded } from './testing/seeded.ts'

const Steps = defineTopic({ name: 'steps', partitions: 3 })
const StepTaken = defineEvent({
  type: 'StepTaken',
  topic: Steps,
  schema: z.object({ key: z.string(), step: z.number() }),
  key: ({ key }) => key,
})
type Step = Envelope<'StepTaken', { key: string; step: number }>

const database = await freshDatabase()
const sql = database.connect({ maxConnections: 20 })

/** Waits until a check passes; thousands of transactions take their time on a busy machine. */
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 90_000, interval: 20 })

const closing: (() => Promise<unknown>)[] = []
let broker: MemoryBroker

beforeAll(async () => {
  await migrate(sql, [deadLetterMigrations, inboxMigrations])
  await sql.query(
    'create table applied (id bigint generated always as identity, key text not null, step integer not null, primary key (key, step))',
  )
})
beforeEach(async () => {
  await sql.query('truncate evtkit_failed_events, evtkit_waiting_keys, evtkit_inbox, applied cascade')
  broker = createMemoryBroker({ logger: silentLogger })
  await broker.createTopics([Steps])
  closing.push(() => broker.close())
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Instance {
  readonly consumer: Consumer
  stop(): Promise<void>
}

type StepHandler = Handler<'StepTaken', { key: string; step: number }>

async function instance(
  handler: StepHandler,
  {
    parking = {},
    on = {},
    ...options
  }: Partial<ConsumerOptions> & {
    parking?: Partial<ParkingOptions>
    on?: { afterGivingUp?: 'stop' | 'skip' }
  } = {},
): Promise<Instance> {
  const client = broker.connect()
  const consumer = createConsumer({
    source: client,
    group: 'walkers',
    rejected: collectRejections().handler,
    logger: silentLogger,
    retry: { attempts: 2, initialMs: 1, maxMs: 5 },
    failed: createParking({ sql, retry: { initialMs: 5, maxMs: 50, attempts: 1000 }, pollMs: 50, ...parking }),
    ...options,
  }).on(StepTaken, handler, on)
  await consumer.start()
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= consumer.close(5000).catch((error: unknown) => {
      if (!isEvtError(error)) throw error
    })
    return stopped.then(() => client.close())
  }
  closing.push(stop)
  return { consumer, stop }
}

const producer = () => createProducer({ sender: broker, source: 'walk' })

/** How often each step fails before it can be taken: most never, some more often than is tried in place. */
function failuresOf(random: () => number, keys: number, steps: number): Map<string, number> {
  const failures = new Map<string, number>()
  for (let key = 0; key < keys; key++)
    for (let step = 0; step < steps; step++)
      if (random() < 0.06) failures.set(`k${key}/${step}`, Math.ceil(random() * 7))
  return failures
}

function failing(failures: Map<string, number>): (event: Step) => void {
  return ({ data: { key, step } }) => {
    const left = failures.get(`${key}/${step}`) ?? 0
    if (left === 0) return
    failures.set(`${key}/${step}`, left - 1)
    throw new Error(`${key} cannot take step ${step} yet`)
  }
}

/** Publishes the steps of all keys mixed, in portions, each key's in order. */
async function walk(random: () => number, keys: number, steps: number, between: () => Promise<unknown> | undefined) {
  const next = new Array<number>(keys).fill(0)
  const open = Array.from({ length: keys }, (_, key) => key)
  const sent: Promise<unknown>[] = []
  const publish = producer()
  for (let i = 0; open.length > 0; i++) {
    const at = Math.floor(random() * open.length)
    const key = open[at] ?? 0
    const step = next[key] ?? 0
    next[key] = step + 1
    if (step + 1 === steps) open.splice(at, 1)
    sent.push(publish.publish(StepTaken, { key: `k${key}`, step }))
    if (i % 100 === 99) {
      await Promise.all(sent.splice(0))
      await between()
    }
  }
  await Promise.all(sent)
}

const allSteps = (keys: number, steps: number) =>
  new Map(Array.from({ length: keys }, (_, key) => [`k${key}`, Array.from({ length: steps }, (_, step) => step)]))

/** The steps of each key in the order in which they were applied first. */
async function applied(): Promise<Map<string, number[]>> {
  const { rows } = await sql.query('select key, array_agg(step order by id) as steps from applied group by key')
  // Safe: that is what is selected.
  return new Map(rows.map((row) => [row.key as string, row.steps as number[]]))
}

const countApplied = async () => Number((await sql.query('select count(*) as n from applied')).rows[0]?.n)

/** Takes a step once, in the inbox's transaction. */
function walker(failures: Map<string, number>): StepHandler {
  const inbox = createInbox({ sql, logger: silentLogger })
  const fails = failing(failures)
  return inbox.once(async (event: Step, { tx }) => {
    await tx.query('insert into applied (key, step) values ($1, $2)', [event.data.key, event.data.step])
    fails(event)
  })
}

describe('a consumer that parks', { timeout: 120_000 }, () => {
  test('keeps the order of every key while thousands of records keep arriving', async () => {
    const random = seeded(1)
    const [keys, steps] = [40, 100]
    const failures = failuresOf(random, keys, steps)
    const fails = failing(failures)
    const taken = new Map<string, number[]>()
    const busy = new Set<string>()
    await instance(async (event) => {
      const { key, step } = event.data
      expect(busy.has(key)).toBe(false)
      busy.add(key)
      try {
        await new Promise(setImmediate)
        fails(event)
        taken.set(key, [...(taken.get(key) ?? []), step])
      } finally {
        busy.delete(key)
      }
    })
    await walk(random, keys, steps, () => new Promise((resolve) => setTimeout(resolve, 5)))
    await eventually(() => expect([...taken.values()].flat().length).toBe(keys * steps))
    expect(new Map([...taken].toSorted())).toEqual(new Map([...allSteps(keys, steps)].toSorted()))
    await eventually(async () => expect((await sql.query('select 1 from evtkit_waiting_keys')).rowCount).toBe(0))
  })

  test('keeps the order of every key across instances that come and go', async () => {
    const random = seeded(2)
    const [keys, steps] = [30, 100]
    const handler = walker(failuresOf(random, keys, steps))
    const instances: Instance[] = [await instance(handler)]
    let portions = 0
    await walk(random, keys, steps, async () => {
      portions++
      if (portions % 4 === 0) instances.push(await instance(handler))
      if (portions % 6 === 0) await instances.shift()?.stop()
      await eventually(async () => expect(await countApplied()).toBeGreaterThan(portions * 100 - 600))
    })
    await eventually(async () => expect(await countApplied()).toBe(keys * steps))
    expect(await applied()).toEqual(allSteps(keys, steps))
    expect(portions).toBeGreaterThan(20)
    await eventually(async () => expect((await sql.query('select 1 from evtkit_waiting_keys')).rowCount).toBe(0))
  })

  test('that is replaced in the middle leaves its queues to the next one, which keeps their order', async () => {
    const random = seeded(3)
    const [keys, steps] = [20, 60]
    const handler = walker(failuresOf(random, keys, steps))
    let running = await instance(handler)
    let portions = 0
    await walk(random, keys, steps, async () => {
      if (++portions % 3 !== 0) return
      await running.stop()
      running = await instance(handler)
    })
    await eventually(async () => expect(await countApplied()).toBe(keys * steps))
    expect(await applied()).toEqual(allSteps(keys, steps))
  })

  test('holds back what exceeds its limits, and loses nothing', async () => {
    const random = seeded(4)
    const [keys, steps] = [10, 60]
    let closed = true
    const fails = failing(failuresOf(random, keys, steps))
    const taken = new Map<string, number[]>()
    const { consumer } = await instance(
      (event) => {
        const { key, step } = event.data
        if (closed && step >= 5 && key !== 'k9') throw new Error('the gate is closed')
        fails(event)
        taken.set(key, [...(taken.get(key) ?? []), step])
      },
      { parking: { limits: { maxPerKey: 10, maxTotal: 40 } } },
    )
    await walk(random, keys, steps, () => undefined)
    const parked = async () => Number((await sql.query('select count(*) as n from evtkit_failed_events')).rows[0]?.n)
    await eventually(async () => expect(await parked()).toBeGreaterThanOrEqual(40))
    await eventually(() => expect(consumer.health().ready).toBe(false))
    const { rows } = await sql.query(
      'select max(n)::int as n from (select count(*) as n from evtkit_failed_events group by key) q',
    )
    expect(rows[0]?.n).toBeLessThanOrEqual(10)
    expect(await parked()).toBeLessThan(60)
    closed = false
    await eventually(() => expect([...taken.values()].flat().length).toBe(keys * steps))
    expect(new Map([...taken].toSorted())).toEqual(new Map([...allSteps(keys, steps)].toSorted()))
  })

  test('lets the other keys of a partition flow, however far behind a failing record they are', async () => {
    const taken: string[] = []
    const { consumer } = await instance(({ data: { key, step } }) => {
      if (key === 'k0') throw new Error('never')
      taken.push(`${key}/${step}`)
    })
    await walk(seeded(5), 10, 200, () => undefined)
    await eventually(() => expect(taken.length).toBe(9 * 200))
    await eventually(() => expect(consumer.health()).toMatchObject({ ready: true, state: 'running' }))
    const offsets = await broker.committed('walkers', 'steps')
    const ends = await Promise.all(
      [0, 1, 2].map(async (at) => broker.records('steps').filter(({ partition }) => partition === at).length),
    )
    await eventually(async () =>
      expect((await broker.committed('walkers', 'steps')).map(({ offset }) => Number(offset))).toEqual(ends),
    )
    expect(offsets.length).toBe(3)
  })

  test('stops a key at an event it gives up, or goes on without it, as its handler says', async () => {
    for (const afterGivingUp of ['stop', 'skip'] as const) {
      await sql.query('truncate evtkit_failed_events, evtkit_waiting_keys cascade')
      const taken: number[] = []
      const { stop } = await instance(
        ({ data: { step } }) => {
          if (step === 1) throw new Error('never')
          taken.push(step)
        },
        { group: afterGivingUp, on: { afterGivingUp }, parking: { retry: { initialMs: 1, maxMs: 5, attempts: 2 } } },
      )
      if (afterGivingUp === 'stop') await walk(seeded(6), 1, 5, () => undefined)
      const parking = createParking({ sql })
      await eventually(async () =>
        expect(await parking.stats(afterGivingUp)).toMatchObject(
          afterGivingUp === 'stop'
            ? { stoppedKeys: 1, deadLetters: 1, parkedEvents: 3 }
            : { parkedKeys: 0, deadLetters: 1, parkedEvents: 0 },
        ),
      )
      await eventually(() => expect(taken).toEqual(afterGivingUp === 'stop' ? [0] : [0, 2, 3, 4]))
      await stop()
    }
  })

  test('with its store down moves no offset past an event it cannot park, says so, and goes on by itself', async () => {
    let down = false
    const guard = <T>(work: () => Promise<T>): Promise<T> =>
      down ? Promise.reject(new DatabaseUnavailableError('the database is down')) : work()
    const flaky: Sql = {
      query: (text, values) => guard(() => sql.query(text, values)),
      transaction: (work, options) => guard(() => sql.transaction(work, options)),
      session: (work, options) => guard(() => sql.session(work, options)),
      close: async () => {},
    }
    const taken: number[] = []
    let failures = 20
    const { consumer } = await instance(
      ({ data: { step } }) => {
        if (step === 0 && down) throw new Error('not yet')
        if (step === 0 && failures-- > 0) throw new Error('not yet')
        taken.push(step)
      },
      { probe: { initialMs: 5, maxMs: 20 }, parking: { sql: flaky } },
    )
    await eventually(() => expect(consumer.health().ready).toBe(true))
    down = true
    await walk(seeded(7), 1, 4, () => undefined)
    await eventually(() => expect(consumer.health().ready).toBe(false))
    await eventually(() => expect(consumer.health().detail).toMatch(/database/))
    expect((await broker.committed('walkers', 'steps')).every(({ offset }) => (offset ?? 0n) <= 0n)).toBe(true)
    expect(taken).toEqual([])
    down = false
    await eventually(() => expect(taken).toEqual([0, 1, 2, 3]))
  })
})
