import { expect, test } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { type LaneOutcome, Slots } from './lanes.ts'
import type { Delivery } from './message.ts'
import { PartitionProgress } from './partition-progress.ts'
import { runPartition } from './partition-run.ts'

const deliveries = (keys: readonly string[], first = 10n): Delivery[] =>
  keys.map((key, i) => ({
    message: { topic: 't', key: Buffer.from(key), value: null, headers: [] },
    partition: 0,
    offset: first + BigInt(i),
    group: 'g',
    attempt: 1,
    replay: null,
  }))

function setUp(keys: readonly string[]) {
  const manual = createManualClock()
  let spent = 0
  const clock = { ...manual, monotonic: () => manual.monotonic() + spent }
  const takeTime = (ms: number) => {
    spent += ms
  }
  const progress = new PartitionProgress(1)
  const controller = new AbortController()
  const settled: bigint[] = []
  const handed: Delivery[] = []
  const rest = { ms: 0 }
  const run = (
    handOver: (delivery: Delivery) => LaneOutcome | Promise<LaneOutcome>,
    batch: readonly Delivery[] = deliveries(keys),
  ) =>
    runPartition({
      batch: {
        topic: 't',
        partition: 0,
        generation: 1,
        deliveries: batch,
        highWatermark: 100n,
        signal: controller.signal,
        settle: (next) => settled.push(next),
      },
      progress,
      slots: new Slots(8),
      clock,
      restMs: () => rest.ms,
      handOver: (delivery) => {
        handed.push(delivery)
        return handOver(delivery)
      },
    })
  return { clock, takeTime, progress, controller, settled, handed, rest, run }
}

const offsets = (list: readonly Delivery[]) => list.map(({ offset }) => offset)

test('when all is finished the verdict is the end of the batch', async () => {
  const { run } = setUp(['a', 'b', 'a'])
  expect(await run(() => 'finished')).toEqual({ next: 13n, retryInMs: 0 })
})

test('settles the contiguous prefix as it grows, and never beyond', async () => {
  const { run, settled } = setUp(['a', 'b', 'c'])
  const endings = new Map<bigint, () => void>()
  const running = run(({ offset }) => new Promise((resolve) => endings.set(offset, () => resolve('finished'))))
  for (const offset of [11n, 12n, 10n]) {
    endings.get(offset)?.()
    await new Promise(setImmediate)
  }
  expect(await running).toEqual({ next: 13n, retryInMs: 0 })
  expect(settled).toEqual([10n, 10n, 13n])
})

test('offsets may have holes', async () => {
  const { run } = setUp([])
  const [first, second] = deliveries(['a', 'b'])
  if (first === undefined || second === undefined) throw new Error('two were made')
  const verdict = await run(({ offset }) => (offset === 25n ? 'held' : 'finished'), [first, { ...second, offset: 25n }])
  expect(verdict.next).toBe(25n)
})

test('a held record keeps its key back; the others finish, and come no second time', async () => {
  const { run, handed, progress, clock } = setUp(['a', 'b', 'a', 'c'])
  const first = await run(({ offset }) => {
    if (offset !== 10n) return 'finished'
    progress.failed(offset, new Error('not yet'), { at: 0, code: '', message: '', stack: '' }, clock.monotonic(), 100)
    return 'held'
  })
  expect(first).toEqual({ next: 10n, retryInMs: 100 })
  expect(offsets(handed)).toEqual([10n, 11n, 13n])

  handed.length = 0
  expect((await run(() => 'finished')).next, 'not due yet').toBe(10n)
  expect(handed).toEqual([])

  await clock.advance(100)
  expect(await run(() => 'finished')).toEqual({ next: 14n, retryInMs: 0 })
  expect(offsets(handed)).toEqual([10n, 12n])
  expect(handed[0]?.attempt).toBe(2)
  expect(progress.isClean).toBe(true)
})

test('an abort starts nothing more and waits for what runs', async () => {
  const { run, handed, controller } = setUp(['a', 'a', 'b'])
  let finish = () => {}
  const running = run(
    ({ offset }) =>
      new Promise((resolve) => {
        if (offset === 10n) finish = () => resolve('finished')
        else resolve('finished')
      }),
  )
  controller.abort()
  finish()
  const verdict = await running
  expect(offsets(handed)).toEqual([10n, 12n])
  expect(verdict.next).toBe(11n)
})

test('an abort before the first record hands nothing over', async () => {
  const { run, handed, controller } = setUp(['a', 'b'])
  controller.abort()
  expect((await run(() => 'finished')).next).toBe(10n)
  expect(handed).toEqual([])
})

test('a long run of handlers that finish at once gives way to the rest of the process', async () => {
  const { run, settled, takeTime } = setUp(Array.from({ length: 300 }, (_, i) => `k${i}`))
  let others = 0
  const other = setInterval(() => others++, 0)
  setImmediate(() => others++)
  const verdict = await run(() => {
    takeTime(1)
    return 'finished'
  })
  clearInterval(other)
  expect(verdict.next).toBe(310n)
  expect(others).toBeGreaterThan(0)
  expect(settled).toContain(74n)
})

test('while it waits it says every second that it is alive, and stops with its last record', async () => {
  const { run, settled, clock } = setUp(['a', 'b'])
  let finish = () => {}
  const running = run(({ offset }) =>
    offset === 10n ? 'finished' : new Promise((resolve) => (finish = () => resolve('finished'))),
  )
  await clock.advance(3500)
  expect(settled).toEqual([11n, 11n, 11n])
  finish()
  await running
  expect(clock.pending).toBe(0)
})

test('while nothing is to be handed over nothing is, and the partition rests that long', async () => {
  const { run, handed, rest } = setUp(['a', 'b'])
  rest.ms = 300
  expect(await run(() => 'finished')).toEqual({ next: 10n, retryInMs: 300 })
  expect(handed).toEqual([])
  rest.ms = 0
  expect((await run(() => 'finished')).next).toBe(12n)
})
