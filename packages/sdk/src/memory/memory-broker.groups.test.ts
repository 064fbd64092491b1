import { afterEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { defineTopic } from '../core/topic.ts'
import type { Batch, SourceStatus, SubscribeOptions } from '../core/transport.ts'
import { createGate } from '../testing/conformance/gate.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createMemoryBroker } from './memory-broker.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function setUp(maxBatchRecords = 500) {
  const clock = createManualClock()
  const broker = createMemoryBroker({ clock, random: () => 0, logger: silentLogger, maxBatchRecords })
  closing.push(() => broker.close(0).catch(() => {}))
  await broker.createTopics([defineTopic({ name: 't', partitions: 1 })])
  const send = (...values: string[]) =>
    broker.send(values.map((value) => ({ topic: 't', key: null, value: Buffer.from(value), headers: [] })))
  const member = async (handle: SubscribeOptions['handle'], stallMs = 1000) => {
    const statuses: SourceStatus[] = []
    const batches: Batch[] = []
    const subscription = await broker.subscribe({
      group: 'g',
      topics: ['t'],
      stallMs,
      onStatus: (status) => void statuses.push(status),
      handle: (batch) => {
        batches.push(batch)
        return handle(batch)
      },
    })
    return { statuses, batches, subscription }
  }
  return { clock, broker, send, member }
}

const all = async ({ deliveries }: Batch) => ({ next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 })
const texts = ({ deliveries }: Batch) => deliveries.map(({ message: { value } }) => String(value))

test('batches are bounded', async () => {
  const { send, member } = await setUp(2)
  await send('a', 'b', 'c', 'd', 'e')
  const { batches } = await member(all)
  await vi.waitFor(() => expect(batches.map(texts)).toEqual([['a', 'b'], ['c', 'd'], ['e']]))
})

test('hands over again exactly when the verdict asked for it', async () => {
  const { clock, send, member } = await setUp()
  await send('a', 'b')
  const { batches } = await member(async () => ({ next: 1n, retryInMs: 250 }))
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  await clock.advance(249)
  expect(batches).toHaveLength(1)
  await send('c')
  await clock.advance(1)
  expect(batches.map(texts)).toEqual([
    ['a', 'b'],
    ['b', 'c'],
  ])
})

test('a verdict outside its batch moves the offset no further than the batch', async () => {
  const { broker, send, member } = await setUp()
  await send('a')
  const { batches } = await member(async () => ({ next: 99n, retryInMs: 0 }))
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  await vi.waitFor(async () => expect(await broker.committed('g', 't')).toEqual([{ partition: 0, offset: 1n }]))
  await send('b')
  await vi.waitFor(() => expect(batches).toHaveLength(2))
})

test('a member that stalls is out until its batch returns; it says so, and what it says afterwards counts for nothing', async () => {
  const { clock, broker, send, member } = await setUp()
  const gate = createGate()
  let calls = 0
  await send('a')
  const { statuses, batches } = await member(async (batch) => {
    calls++
    if (calls === 1) await gate.passed
    return all(batch)
  })
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  await clock.advance(999)
  expect(await broker.members('g')).toBe(1)
  await clock.advance(1)
  expect(await broker.members('g')).toBe(0)
  expect(batches[0]?.signal.aborted).toBe(true)
  expect(statuses.at(-1)).toMatchObject({ state: 'unavailable', error: { code: 'EVT_HANDLER_DEADLINE' } })
  batches[0]?.settle(1n)
  expect(await broker.committed('g', 't')).toEqual([])
  gate.open()
  await vi.waitFor(() => expect(batches.map(texts)).toEqual([['a'], ['a']]))
  expect(statuses.at(-1)?.state).toBe('running')
  expect(batches[1]?.generation).toBeGreaterThan(batches[0]?.generation ?? 0)
})

test('progress keeps a slow member in', async () => {
  const { clock, broker, send, member } = await setUp()
  const gate = createGate()
  await send('a', 'b', 'c')
  const { batches } = await member(async (batch) => {
    await gate.passed
    return all(batch)
  })
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  for (const next of [1n, 2n]) {
    await clock.advance(900)
    batches[0]?.settle(next)
  }
  await clock.advance(900)
  expect(await broker.members('g')).toBe(1)
  gate.open()
})

test('a partition waits for its turn instead of keeping the others from theirs', async () => {
  const clock = createManualClock()
  const broker = createMemoryBroker({ clock, logger: silentLogger, maxBatchRecords: 1 })
  closing.push(() => broker.close())
  await broker.createTopics([defineTopic({ name: 'busy' }), defineTopic({ name: 'quiet' })])
  const order: string[] = []
  await broker.subscribe({
    group: 'g',
    topics: ['busy', 'quiet'],
    stallMs: 1000,
    onStatus: () => {},
    handle: (batch) => {
      order.push(batch.topic)
      return all(batch)
    },
  })
  const message = (topic: string) => ({ topic, key: null, value: null, headers: [] })
  await broker.send(Array.from({ length: 50 }, () => message('busy')))
  await broker.send([message('quiet')])
  await vi.waitFor(() => expect(order).toHaveLength(51))
  expect(order.indexOf('quiet')).toBeLessThan(4)
})

test('leaves no timer behind', async () => {
  const { clock, broker, send, member } = await setUp()
  await send('a', 'b')
  const { batches } = await member(async () => ({ next: 0n, retryInMs: 5000 }))
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  await vi.waitFor(() => expect(clock.pending).toBe(1))
  await broker.close()
  expect(clock.pending).toBe(0)
})

test('deleting a topic that is read sends its readers back to waiting, and forgets their offsets', async () => {
  const { clock, broker, send, member } = await setUp()
  await send('a', 'b')
  const { statuses, batches } = await member(all)
  await vi.waitFor(async () => expect(await broker.committed('g', 't')).toHaveLength(1))
  await broker.deleteTopics(['t'])
  await vi.waitFor(() => expect(statuses.at(-1)).toMatchObject({ state: 'connecting', attempt: 1 }))
  expect(await broker.committed('g', 't')).toEqual([])
  expect(await broker.members('g')).toBe(0)
  await clock.advance(1000)
  expect(statuses.at(-1)).toMatchObject({ state: 'connecting', error: { code: 'EVT_UNKNOWN_TOPIC' } })
  await broker.createTopics([defineTopic({ name: 't' })])
  await send('new')
  await vi.waitFor(() => expect(batches.map(texts)).toEqual([['a', 'b'], ['new']]))
})

test('a recreated topic is a gap for a group whose offset lies beyond its end', async () => {
  const { broker, send, member } = await setUp()
  await send('a')
  await broker.setOffsets('g', 't', [{ partition: 0, offset: 7n }])
  const { statuses, batches } = await member(all)
  await vi.waitFor(() => expect(statuses.at(-1)).toMatchObject({ state: 'gap', error: { committed: 7n } }))
  expect(batches).toEqual([])
})

test('a listener that throws disturbs nobody', async () => {
  const { broker, send } = await setUp()
  let handled = 0
  await broker.subscribe({
    group: 'g',
    topics: ['t'],
    stallMs: 1000,
    onStatus: () => {
      throw new Error('a bug in a listener')
    },
    handle: (batch) => {
      handled++
      return all(batch)
    },
  })
  await send('a')
  await vi.waitFor(() => expect(handled).toBe(1))
})

test.each([{ group: '' }, { topics: [] }, { stallMs: 0 }])('refuses to subscribe with %j', async (wrong) => {
  const { broker } = await setUp()
  const options = { group: 'g', topics: ['t'], stallMs: 1000, handle: all, onStatus: () => {} }
  await expect(broker.subscribe({ ...options, ...wrong })).rejects.toMatchObject({ code: 'EVT_INVALID_CONFIGURATION' })
})

test('a seek of a partition that is not owned is refused', async () => {
  const { member } = await setUp()
  const { subscription } = await member(all)
  await expect(subscription.seek({ topic: 't', partition: 9, offset: 0n })).rejects.toThrow('does not own t/9')
})
