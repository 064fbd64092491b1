/**
 * Ends processes of the stack while orders flow, kindly and not, and looks whether the books agree afterwards. At last the
 * stack goes over to Avro.
 *
 * A longer run with the same code: TRIAL_ORDERS=500 npx vitest run --project integration examples/shop/kill
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readDuplicates } from './load/inbox-duplicates.ts'
import { down } from './stack/down.ts'
import { type PartName, partNames } from './stack/part.ts'
import { openStack, type Stack, withStack } from './stack/stack.ts'
import { stackFolder } from './stack/stack-folder.ts'
import { waitUntilReady } from './stack/start-part.ts'
import { isAllReady, readStatus } from './stack/status.ts'
import { findStackProcesses } from './stack/stray-process.ts'
import { type Hit, hitTable, metLiveWork } from './stack/trial/hit.ts'
import { readOrders } from './stack/trial/in-flight.ts'
import { Trial } from './stack/trial/trial.ts'
import { up } from './stack/up.ts'

/** Each test goes on until it has sent this many orders. */
const atLeast = Number(process.env.TRIAL_ORDERS ?? 60)
const ratePerSecond = Number(process.env.TRIAL_RATE ?? 8)
const graceMs = 15_000
const settleMs = 60_000
/** Starting, signalling and settling, with room for a busy computer, and for more orders than usual. */
const timeoutMs = 180_000 + (atLeast / ratePerSecond) * 2000

/** Against the stream: what stands before a part goes on and heaps work up for it. */
const victims: readonly PartName[] = ['notifications', 'shipping', 'payments', 'inventory', 'orders', 'gateway']

const data = mkdtempSync(join(tmpdir(), 'evtkit-trial-'))
const said: string[] = []
const options = { data, progress: (message: string) => void said.push(message) }
let stack: Stack

beforeAll(async () => {
  // A broker of its own: on a shared one, the shop's topics would carry the orders of other tests.
  vi.stubEnv('KAFKA_BROKERS', '')
  vi.stubEnv('DATABASE_URL', '')
  vi.stubEnv('SCHEMA_REGISTRY_URL', '')
  vi.stubEnv('SHOP_CODEC', '')
  stack = await withStack(options, async (opened) => {
    await up(opened)
    return opened
  })
}, 120_000)

afterAll(async () => {
  await withStack(options, (opened) => down(opened, { graceMs, clean: true }))
  expect(await findStackProcesses(stackFolder(data)), 'processes left of the stack').toEqual([])
  vi.unstubAllEnvs()
  rmSync(data, { recursive: true, force: true })
}, 60_000)

/** Sends orders while `during` works, and hands over the trial once nothing is left to do. */
async function whileOrdersFlow(during: (trial: Trial) => Promise<void>): Promise<Outcome> {
  const before = await readOrders(stack.state.state.postgres?.address ?? '')
  const trial = await Trial.start(stack, ratePerSecond)
  try {
    await during(trial)
    const discrepancies = await trial.settle(settleMs)
    const orders = await readOrders(stack.state.state.postgres?.address ?? '')
    const persisted = [...orders.keys()].filter((orderId) => !before.has(orderId))
    const ended = persisted.filter((orderId) => ['shipped', 'cancelled'].includes(orders.get(orderId) ?? ''))
    const outcome = {
      hits: trial.hits,
      discrepancies,
      begun: trial.stream.begun,
      accepted: new Set(trial.stream.placed.map((order) => order.orderId)).size,
      persisted: persisted.length,
      ended: ended.length,
      retries: trial.stream.retries,
      repeatedRecords: trial.repeatedRecords,
      duplicates: await readDuplicates(trial.fetchFrom),
      handledAgain: trial.hits.map((hit) => trial.handledMoreThanOnce(hit)),
      leftBehind: trial.hits.map((hit) => trial.partitionsLeftBehind(hit)),
    }
    const { hits: _, discrepancies: __, ...numbers } = outcome
    console.log(`\n${hitTable(trial.hits, (hit) => trial.handledMoreThanOnce(hit))}\n${JSON.stringify(numbers)}\n`)
    return outcome
  } finally {
    await trial.close()
  }
}

/** A kill between two records proves nothing: it is done again until one met the part at work. */
async function killAtWork(trial: Trial, part: PartName): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    if (metLiveWork(await trial.strike(part, 'SIGKILL', graceMs))) return
    await waitUntilReady(stack, [part])
  }
}

interface Outcome {
  readonly hits: readonly Hit[]
  readonly discrepancies: readonly unknown[]
  /** Orders that were sent. */
  readonly begun: number
  /** Distinct orders that were accepted. */
  readonly accepted: number
  /** Orders that the shop has. */
  readonly persisted: number
  /** Orders of the shop that are shipped or cancelled. */
  readonly ended: number
  /** Requests that had to be made again. */
  readonly retries: number
  /** Records that repeated an event. */
  readonly repeatedRecords: number
  /** Deliveries that were recognised as repeated. */
  readonly duplicates: number
  /** For each hit, records that had been handled and are handed over once more. */
  readonly handledAgain: readonly number[]
  /** For each hit, partitions where a handled record could have been committed and was not. */
  readonly leftBehind: readonly number[]
}

function expectAllEndedOnce(outcome: Outcome): void {
  const { discrepancies, begun, accepted, persisted, ended } = outcome
  expect(discrepancies).toEqual([])
  expect({ accepted, persisted, ended }).toEqual({ accepted: begun, persisted: begun, ended: begun })
}

test('the stack is up: every part is a process of its own, and ready', async () => {
  const members = await readStatus(openStack(options))
  expect(isAllReady(members), JSON.stringify(members)).toBe(true)
  const pids = members.map((member) => member.pid)
  expect(new Set(pids).size).toBe(partNames.length + 2)
  expect(pids).not.toContain(undefined)
})

test(
  'a part that is told to end while orders flow exits with 0 in time, loses nothing and does nothing twice',
  async () => {
    const outcome = await whileOrdersFlow(async (trial) => {
      do {
        for (const part of victims) await trial.strike(part, 'SIGTERM', graceMs)
        await waitUntilReady(stack, partNames)
      } while (trial.stream.begun < atLeast)
    })
    expect(new Set(outcome.hits.map((hit) => hit.part))).toEqual(new Set(victims))
    for (const { part, ending, outstanding } of outcome.hits) {
      expect(ending, part).toEqual({ kind: 'exited', code: 0 })
      expect(outstanding, `orders that were open when ${part} was ended`).toBeGreaterThan(0)
    }
    expectAllEndedOnce(outcome)
    // What was handled was committed, as far as positions can tell it, and what was sent is not sent again.
    expect(outcome.leftBehind).toEqual(outcome.hits.map(() => 0))
    expect(outcome.repeatedRecords).toBe(0)
  },
  timeoutMs,
)

test(
  'a part that is killed while orders flow is started again: every order ends, once, and the books agree',
  async () => {
    const outcome = await whileOrdersFlow(async (trial) => {
      do {
        for (const part of victims) await killAtWork(trial, part)
        await waitUntilReady(stack, partNames)
      } while (trial.stream.begun < atLeast)
    })
    for (const part of victims) {
      const met = outcome.hits.filter((hit) => hit.part === part && metLiveWork(hit))
      expect(met.length, `kills that met ${part} at work`).toBeGreaterThan(0)
    }
    for (const hit of outcome.hits) expect(hit.ending).toEqual({ kind: 'killed' })
    expectAllEndedOnce(outcome)
    const handledAgain = outcome.hits.reduce((sum, { part }, index) => {
      // The services count from their last start.
      const last = outcome.hits.findLastIndex((hit) => hit.part === part)
      return index === last ? sum + (outcome.handledAgain[index] ?? 0) : sum
    }, 0)
    expect(handledAgain, 'records that had been handled and came again').toBeGreaterThan(0)
    expect(outcome.duplicates, 'deliveries that were recognised').toBeGreaterThanOrEqual(handledAgain)
  },
  timeoutMs,
)

test(
  'a stack that goes over to Avro reads what it wrote as JSON, and the orders that come then end like all others',
  async () => {
    await up(stack, { codec: 'avro' })
    expect(isAllReady(await readStatus(stack))).toBe(true)
    const outcome = await whileOrdersFlow((trial) =>
      vi.waitFor(() => expect(trial.stream.begun).toBeGreaterThanOrEqual(atLeast / 2), { timeout: timeoutMs }),
    )
    expectAllEndedOnce(outcome)
  },
  timeoutMs,
)
