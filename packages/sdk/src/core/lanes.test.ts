import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LaneOutcome, Lanes, Slots } from './lanes.ts'

interface Item {
  readonly key: string
  readonly index: number
}

/** Runs items that end when told to, and watches what happens. */
function workshop(concurrency: number, slots = new Slots(concurrency)) {
  const running = new Map<Item, (outcome: LaneOutcome) => void>()
  const started: Item[] = []
  const lanes = new Lanes<Item>({
    slots,
    keyOf: ({ key }) => key,
    run(item) {
      started.push(item)
      return new Promise((resolve) => running.set(item, resolve))
    },
  })
  const end = async (item: Item, outcome: LaneOutcome = 'finished') => {
    running.get(item)?.(outcome)
    running.delete(item)
    await new Promise(setImmediate)
  }
  return { lanes, running, started, end }
}

const item = (key: string, index: number): Item => ({ key, index })

/** How an item ends: at once or later, finished or held. */
const endings = fc.constantFrom('finished at once', 'finished later', 'held at once', 'held later')

test('keeps the order of each key, the limit, and holds a key back behind a held item, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), ending: endings }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.scheduler(),
      async (plan, concurrency, scheduler) => {
        let running = 0
        let most = 0
        const busy = new Set<string>()
        const started: number[] = []
        const slots = new Slots(concurrency)
        const lanes = new Lanes<number>({
          slots,
          keyOf: (index) => plan[index]?.key ?? '',
          run(index) {
            const { key = '', ending = 'held at once' } = plan[index] ?? {}
            expect(busy.has(key), 'two of one key at once').toBe(false)
            started.push(index)
            running++
            most = Math.max(most, running)
            const outcome: LaneOutcome = ending.startsWith('held') ? 'held' : 'finished'
            if (ending.endsWith('at once')) {
              running--
              return outcome
            }
            busy.add(key)
            return scheduler.schedule(Promise.resolve()).then(() => {
              running--
              busy.delete(key)
              return outcome
            })
          },
        })
        for (const index of plan.keys()) lanes.push(index)
        await scheduler.waitFor(lanes.idle())

        expect(most).toBeLessThanOrEqual(concurrency)
        for (const key of new Set(plan.map((one) => one.key))) {
          const all = [...plan.keys()].filter((index) => plan[index]?.key === key)
          const heldAt = all.findIndex((index) => plan[index]?.ending.startsWith('held'))
          const expected = heldAt === -1 ? all : all.slice(0, heldAt + 1)
          expect(started.filter((index) => plan[index]?.key === key)).toEqual(expected)
        }
        // Every slot is free again.
        for (let i = 0; i < concurrency; i++) expect(slots.tryTake()).toBe(true)
        expect(slots.tryTake()).toBe(false)
      },
    ),
  )
})

test('different keys run at once, one key does not', async () => {
  const { lanes, started, end } = workshop(10)
  const [a0, a1, b0] = [item('a', 0), item('a', 1), item('b', 0)]
  for (const one of [a0, a1, b0]) lanes.push(one)
  expect(started).toEqual([a0, b0])
  await end(a0)
  expect(started).toEqual([a0, b0, a1])
  await end(a1)
  await end(b0)
  await lanes.idle()
})

test('what finishes at once runs within the push', () => {
  const seen: number[] = []
  const lanes = new Lanes<number>({
    slots: new Slots(1),
    keyOf: String,
    run: (value) => {
      seen.push(value)
      return 'finished'
    },
  })
  for (let i = 0; i < 5; i++) lanes.push(i)
  expect(seen).toEqual([0, 1, 2, 3, 4])
})

test('the limit is shared by all lanes that share the slots', async () => {
  const slots = new Slots(2)
  const one = workshop(2, slots)
  const two = workshop(2, slots)
  one.lanes.push(item('a', 0))
  one.lanes.push(item('b', 0))
  two.lanes.push(item('c', 0))
  expect(two.started).toEqual([])
  const [first] = one.started
  if (first !== undefined) await one.end(first)
  expect(two.started).toHaveLength(1)
})

test('a long lane gives its slot to whoever waits, of its own partition or another, and comes again behind them', async () => {
  const slots = new Slots(1)
  const one = workshop(1, slots)
  const two = workshop(1, slots)
  const order: string[] = []
  for (let i = 0; i < 3; i++) one.lanes.push(item('a', i))
  one.lanes.push(item('b', 0))
  for (let i = 0; i < 2; i++) two.lanes.push(item('c', i))
  for (let i = 0; i < 6; i++) {
    const [lane, next] = one.running.size > 0 ? [one, ...one.running.keys()] : [two, ...two.running.keys()]
    if (next === undefined) throw new Error('one of them runs')
    order.push(`${next.key}${next.index}`)
    await lane.end(next)
  }
  expect(order).toEqual(['a0', 'b0', 'c0', 'a1', 'c1', 'a2'])
  await Promise.all([one.lanes.idle(), two.lanes.idle()])
})

test('after a stop nobody waits for a slot that others have', async () => {
  const slots = new Slots(1)
  slots.tryTake()
  const { lanes, started } = workshop(1, slots)
  lanes.push(item('a', 0))
  const idle = lanes.idle()
  lanes.stop()
  await idle
  slots.release()
  expect(started).toEqual([])
  expect(slots.tryTake()).toBe(true)
})

test('after a stop what runs goes on and nothing starts', async () => {
  const { lanes, started, end } = workshop(1)
  const [a0, a1, b0] = [item('a', 0), item('a', 1), item('b', 0)]
  for (const one of [a0, a1, b0]) lanes.push(one)
  lanes.stop()
  lanes.push(item('c', 0))
  let idle = false
  const whenIdle = lanes.idle().then(() => {
    idle = true
  })
  await new Promise(setImmediate)
  expect(idle).toBe(false)
  await end(a0)
  await whenIdle
  expect(started).toEqual([a0])
})

test('thousands of one key that give way to others do not overflow the stack', async () => {
  const slots = new Slots(1)
  slots.tryTake()
  let finished = 0
  const lanes = new Lanes<number>({
    slots,
    keyOf: (value) => String(value % 2),
    run: () => {
      finished++
      return 'finished'
    },
  })
  for (let i = 0; i < 20_000; i++) lanes.push(i)
  slots.release()
  await lanes.idle()
  expect(finished).toBe(20_000)
})

test('thousands that wait for one slot do not overflow the stack', async () => {
  const slots = new Slots(1)
  slots.tryTake()
  let finished = 0
  const lanes = new Lanes<number>({
    slots,
    keyOf: String,
    run: () => {
      finished++
      return 'finished'
    },
  })
  for (let i = 0; i < 20_000; i++) lanes.push(i)
  slots.release()
  await lanes.idle()
  expect(finished).toBe(20_000)
})
