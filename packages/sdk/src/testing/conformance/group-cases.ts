import assert from 'node:assert/strict'
import type { Delivery } from '../../core/message.ts'
import type { ConformanceCase } from './conformance.ts'
import type { Reader } from './reader.ts'
import { conformanceCase, keyFor, message, numbered, type Stage } from './stage.ts'

/** Names that spread over four partitions. */
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

const place = ({ message: { topic }, partition, offset }: Delivery) => `${topic}/${partition}@${offset}`

const assertOnce = (stage: Stage, readers: readonly Reader[], count: number) =>
  stage.eventually(() => {
    const places = readers.flatMap((reader) => reader.finished.map(place))
    assert.equal(new Set(places).size, count)
    assert.equal(places.length, count, 'some records were handled twice')
  })

/** A key of each of two partitions. */
const [a, b] = [keyFor(0, 2), keyFor(1, 2)]

/** How members of a group share work, and lose it. */
export const groupCases: readonly ConformanceCase[] = [
  conformanceCase('two members share the partitions, and each record goes to one of them', async (stage) => {
    const topic = await stage.topic('share', 4)
    const group = `${topic}-group`
    const one = await stage.read({ group, topics: [topic] }, await stage.open())
    const two = await stage.read({ group, topics: [topic] }, await stage.open())
    await stage.eventually(() => {
      assert.equal(one.owned.length, 2)
      assert.equal(two.owned.length, 2)
      assert.equal(new Set([...one.owned, ...two.owned]).size, 4)
    })
    assert.equal(await (await stage.main).members(group), 2)
    await stage.send(...keys.flatMap((key) => numbered(topic, key, 5)))
    await assertOnce(stage, [one, two], 40)
    assert.ok(one.finished.length > 0 && two.finished.length > 0, 'one member did all the work')
  }),

  conformanceCase('a member that joins takes over without a record lost or handled twice', async (stage) => {
    const topic = await stage.topic('join', 4)
    const group = `${topic}-group`
    const each = () => new Promise<void>((resolve) => setTimeout(resolve, 3))
    const one = await stage.read({ group, topics: [topic], each }, await stage.open())
    await stage.send(...keys.flatMap((key) => numbered(topic, key, 10)))
    await stage.eventually(() => assert.ok(one.finished.length > 5, `only ${one.finished.length} were handled`))
    const two = await stage.read({ group, topics: [topic], each }, await stage.open())
    await stage.eventually(() => assert.equal(two.owned.length, 2))
    await stage.send(...keys.flatMap((key) => numbered(topic, key, 5, 10)))
    await assertOnce(stage, [one, two], 120)
  }),

  conformanceCase(
    'when a member leaves, the other takes over without a record lost or handled twice',
    async (stage) => {
      const topic = await stage.topic('leave', 4)
      const group = `${topic}-group`
      const each = () => new Promise<void>((resolve) => setTimeout(resolve, 3))
      const one = await stage.read({ group, topics: [topic], each }, await stage.open())
      const two = await stage.read({ group, topics: [topic], each }, await stage.open())
      await stage.eventually(() => assert.equal(two.owned.length, 2))
      await stage.send(...keys.flatMap((key) => numbered(topic, key, 10)))
      await stage.eventually(() => assert.ok(two.finished.length > 3, `only ${two.finished.length} were handled`))
      await two.subscription.close(5000)
      await stage.eventually(() => assert.equal(one.owned.length, 4))
      await assertOnce(stage, [one, two], 80)
      for (const key of keys) {
        const ofKey = [...two.finished, ...one.finished].filter((delivery) => delivery.message.key?.toString() === key)
        assert.deepEqual(
          ofKey.map(({ offset }) => offset),
          ofKey.map(({ offset }) => offset).sort((a, b) => Number(a - b)),
        )
      }
    },
  ),

  conformanceCase('the generation grows with every assignment', async (stage) => {
    const topic = await stage.topic('generation', 2)
    const group = `${topic}-group`
    const one = await stage.read({ group, topics: [topic] }, await stage.open())
    await stage.eventually(() => assert.equal(one.owned.length, 2))
    await stage.send(message(topic, a, 'before'), message(topic, b, 'before'))
    await stage.eventually(() => assert.equal(one.finished.length, 2))
    const before = Math.max(...one.batches.map(({ generation }) => generation))
    const two = await stage.read({ group, topics: [topic] }, await stage.open())
    await stage.eventually(() => {
      assert.equal(one.owned.length, 1)
      assert.equal(two.owned.length, 1)
    })
    const batches = one.batches.length
    await stage.send(message(topic, a, 'after'), message(topic, b, 'after'))
    await stage.eventually(() => assert.ok(one.batches.length > batches, 'no batch came under the new assignment'))
    for (const { generation } of one.batches.slice(batches))
      assert.ok(generation > before, `expected more than ${before}, got ${generation}`)
  }),

  conformanceCase(
    'aborts the signal of a running batch when its partition is about to be taken away',
    async (stage) => {
      const topic = await stage.topic('revoke', 2)
      const group = `${topic}-group`
      const one = await stage.read(
        {
          group,
          topics: [topic],
          handle: async ({ deliveries, signal }) => {
            await new Promise<void>((resolve) => {
              if (signal.aborted) resolve()
              else signal.addEventListener('abort', () => resolve(), { once: true })
            })
            return { next: deliveries[0]?.offset ?? 0n, retryInMs: 0 }
          },
        },
        await stage.open(),
      )
      await stage.send(...numbered(topic, a, 3), ...numbered(topic, b, 3))
      await stage.eventually(() => assert.equal(one.batches.length, 2))
      const two = await stage.read({ group, topics: [topic] }, await stage.open())
      await stage.eventually(() =>
        assert.ok(
          one.batches.slice(0, 2).every(({ signal }) => signal.aborted),
          'the signals were not aborted',
        ),
      )
      await stage.eventually(() => assert.equal(two.finished.length, 3))
      assert.ok(one.states.includes('rebalancing'), `got ${one.states}`)
    },
  ),

  conformanceCase('different subscriptions in one group leave no topic without a reader', async (stage) => {
    const old = await stage.topic('old', 2)
    const added = await stage.topic('added', 2)
    const group = `${old}-group`
    const before = await stage.read({ group, topics: [old] }, await stage.open())
    await stage.eventually(() => assert.equal(before.owned.length, 2))
    const after = await stage.read({ group, topics: [old, added] }, await stage.open())
    await stage.eventually(() => {
      const owned = [...before.owned, ...after.owned]
      assert.deepEqual(owned.sort(), [`${added}/0`, `${added}/1`, `${old}/0`, `${old}/1`].sort())
    })
    await stage.send(...[a, b].flatMap((key) => [...numbered(old, key, 2), ...numbered(added, key, 2)]))
    await assertOnce(stage, [before, after], 8)
    assert.ok(
      before.finished.every(({ message }) => message.topic === old),
      'a member got a topic it had not subscribed to',
    )
  }),

  conformanceCase('a handler slower than the session keeps its place as long as it shows progress', async (stage) => {
    const topic = await stage.topic('slow')
    const group = `${topic}-group`
    const { sessionMs } = stage.harness
    const slow = await stage.read(
      {
        group,
        topics: [topic],
        stallMs: sessionMs * 2 + 1000,
        each: () => new Promise((resolve) => setTimeout(resolve, sessionMs * 1.3)),
      },
      await stage.open(),
    )
    await stage.send(message(topic, 'k', 'slow'))
    await stage.eventually(() => assert.equal(slow.batches.length, 1))
    const other = await stage.read({ group: `${topic}-other`, topics: [topic] })
    await stage.eventually(() => assert.equal(slow.finished.length, 1))
    assert.equal(slow.batches.length, 1)
    assert.equal(slow.batches[0]?.signal.aborted, false)
    assert.equal(await (await stage.main).members(group), 1)
    assert.equal(other.finished.length, 1)
    await slow.subscription.close(5000)
    assert.deepEqual(await stage.committed(group, topic), ['0:1'])
  }),

  conformanceCase('a member that shows no progress for stallMs loses its partitions to the others', async (stage) => {
    const topic = await stage.topic('stall', 2)
    const group = `${topic}-group`
    const gate = stage.gate()
    const hung = await stage.read(
      {
        group,
        topics: [topic],
        stallMs: 100,
        handle: async ({ deliveries }) => {
          await gate.passed
          return { next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 }
        },
      },
      await stage.open(),
    )
    await stage.send(...numbered(topic, a, 2), ...numbered(topic, b, 2))
    await stage.eventually(() => assert.ok(hung.batches.length > 0, 'no batch was handed over'))
    const other = await stage.read({ group, topics: [topic] }, await stage.open())
    await stage.eventually(() => assert.equal(other.finished.length, 4))
    assert.equal(hung.batches[0]?.signal.aborted, true)
    // What the hung handler says at last counts for nothing: the other has moved on.
    await stage.send(...numbered(topic, a, 1, 2), ...numbered(topic, b, 1, 2))
    await stage.eventually(() => assert.equal(other.finished.length, 6))
    gate.open()
    await other.subscription.close(5000)
    assert.deepEqual(await stage.committed(group, topic), ['0:3', '1:3'])
    // Once its handler is back, the member that was thrown out is a member like any other.
    await stage.send(...numbered(topic, a, 1, 3), ...numbered(topic, b, 1, 3))
    await stage.eventually(async () => assert.deepEqual(await stage.committed(group, topic), ['0:4', '1:4']))
  }),
]
