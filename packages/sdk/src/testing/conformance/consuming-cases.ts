import assert from 'node:assert/strict'
import { CloseDeadlineError } from '../../core/errors.ts'
import type { Batch } from '../../core/transport.ts'
import type { ConformanceCase } from './conformance.ts'
import { conformanceCase, keyFor, message, numbered } from './stage.ts'

const texts = (batch: Batch): (string | undefined)[] =>
  batch.deliveries.map(({ message: { value } }) => value?.toString())

/** A key of each of two partitions. */
const [a, b] = [keyFor(0, 2), keyFor(1, 2)]

/** How records are handed over, and how far the offset moves. */
export const consumingCases: readonly ConformanceCase[] = [
  conformanceCase('a group without a committed offset starts at the first record', async (stage) => {
    const topic = await stage.topic('first')
    await stage.send(...numbered(topic, 'k', 3))
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '1', '2']))
    await stage.send(...numbered(topic, 'k', 2, 3))
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '1', '2', '3', '4']))
  }),

  conformanceCase('describes each record by where it is and for whom', async (stage) => {
    const topic = await stage.topic('place', 2)
    const group = `${topic}-group`
    await stage.send(...numbered(topic, a, 2), ...numbered(topic, b, 2), ...numbered(topic, 'c', 2))
    const reader = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.equal(reader.finished.length, 6))
    const ends = await (await stage.main).offsets(topic)
    for (const batch of reader.batches) {
      assert.equal(batch.topic, topic)
      assert.ok(batch.deliveries.length > 0, 'an empty batch was handed over')
      assert.equal(batch.highWatermark, ends[batch.partition]?.high)
      for (const delivery of batch.deliveries) {
        assert.deepEqual(
          { ...delivery, message: delivery.message.topic, offset: 0n },
          { message: topic, partition: batch.partition, offset: 0n, group, attempt: 1, replay: null },
        )
      }
    }
    for (const { partition, high } of ends)
      assert.deepEqual(
        reader.finished.filter((delivery) => delivery.partition === partition).map(({ offset }) => offset),
        Array.from({ length: Number(high) }, (_, i) => BigInt(i)),
      )
  }),

  conformanceCase('hands over a long backlog in order, one batch of a partition at a time', async (stage) => {
    const topic = await stage.topic('backlog', 2)
    const running = new Map<number, number>()
    let overlaps = 0
    for (const key of ['a', 'b', 'c']) await stage.send(...numbered(topic, key, 1500))
    const reader = await stage.read({
      group: `${topic}-group`,
      topics: [topic],
      handle: async (batch) => {
        const { partition, deliveries } = batch
        running.set(partition, (running.get(partition) ?? 0) + 1)
        if ((running.get(partition) ?? 0) > 1) overlaps++
        await new Promise(setImmediate)
        reader.finished.push(...deliveries)
        running.set(partition, (running.get(partition) ?? 0) - 1)
        return { next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 }
      },
    })
    await stage.eventually(() => assert.equal(reader.finished.length, 4500))
    assert.equal(overlaps, 0)
    for (const partition of [0, 1]) {
      const offsets = reader.finished.filter((delivery) => delivery.partition === partition).map(({ offset }) => offset)
      assert.deepEqual(
        offsets,
        offsets.map((_, i) => BigInt(i)),
      )
    }
  }),

  conformanceCase('a new member goes on at the committed offset', async (stage) => {
    const topic = await stage.topic('resume')
    const group = `${topic}-group`
    await stage.send(...numbered(topic, 'k', 3))
    const first = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.equal(first.finished.length, 3))
    await first.subscription.close(5000)
    assert.deepEqual(await stage.committed(group, topic), ['0:3'])
    await stage.send(...numbered(topic, 'k', 2, 3))
    const second = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(second.values, ['3', '4']))
  }),

  conformanceCase('commits while a batch still runs, up to what was settled and no further', async (stage) => {
    const topic = await stage.topic('settle')
    const group = `${topic}-group`
    const gate = stage.gate()
    await stage.send(...numbered(topic, 'k', 5))
    const reader = await stage.read({
      group,
      topics: [topic],
      handle: async (batch) => {
        batch.settle(2n)
        await gate.passed
        return { next: 2n, retryInMs: 60_000 }
      },
    })
    await stage.eventually(async () => assert.deepEqual(await stage.committed(group, topic), ['0:2']))
    gate.open()
    await reader.subscription.close(5000)
    assert.deepEqual(await stage.committed(group, topic), ['0:2'])
    const next = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(next.values, ['2', '3', '4']))
  }),

  conformanceCase('hands over again from the verdict on, while other partitions flow', async (stage) => {
    const topic = await stage.topic('again', 2)
    const client = await stage.main
    const group = `${topic}-group`
    let broken = true
    const held: string[] = []
    const reader = await stage.read({
      group,
      topics: [topic],
      each: ({ message: { value } }) => {
        if (value?.toString() !== 'bad' || !broken) return
        held.push('bad')
        throw new Error('not yet')
      },
    })
    await client.send([message(topic, a, 'good'), message(topic, a, 'bad'), message(topic, a, 'after')])
    await stage.eventually(() => assert.ok(held.length >= 2, 'the record did not come again'))
    await client.send(numbered(topic, b, 5))
    await stage.eventually(() => assert.deepEqual(reader.values, ['good', '0', '1', '2', '3', '4']))
    broken = false
    await stage.eventually(() => assert.deepEqual(reader.values.slice(6), ['bad', 'after']))
    assert.equal(new Set(reader.batches.map(({ generation }) => generation)).size, 1, 'the member lost its partitions')
  }),

  conformanceCase('a batch whose handling rejects comes again', async (stage) => {
    const topic = await stage.topic('reject')
    const seen: (string | undefined)[][] = []
    await stage.send(...numbered(topic, 'k', 3))
    await stage.read({
      group: `${topic}-group`,
      topics: [topic],
      handle: async (batch) => {
        seen.push(texts(batch))
        if (seen.length === 1) {
          batch.settle(1n)
          throw new TypeError('a bug that a client library would take for the end')
        }
        return { next: 3n, retryInMs: 0 }
      },
    })
    await stage.eventually(() => assert.deepEqual(seen.at(-1), ['1', '2']))
  }),

  conformanceCase('a member keeps its place in the group while its partitions are paused', async (stage) => {
    const topic = await stage.topic('paused', 2)
    const group = `${topic}-group`
    const reader = await stage.read({
      group,
      topics: [topic],
      retryInMs: 60_000,
      each: ({ message: { value } }) => {
        if (value?.toString() === 'bad') throw new Error('not now')
      },
    })
    await stage.send(message(topic, a, 'bad'))
    await stage.eventually(() => assert.equal(reader.batches.length, 1))
    await stage.eventually(() => assert.equal(reader.owned.length, 2))
    const states = reader.states.length
    await new Promise((resolve) => setTimeout(resolve, stage.harness.sessionMs))
    await stage.send(...numbered(topic, b, 20))
    await stage.eventually(() => assert.equal(reader.finished.length, 20))
    assert.equal(await (await stage.main).members(group), 1)
    assert.deepEqual(reader.states.slice(states), [])
    assert.equal(new Set(reader.batches.map(({ generation }) => generation)).size, 1)
  }),

  conformanceCase('every group gets everything', async (stage) => {
    const topic = await stage.topic('groups', 2)
    await stage.send(...numbered(topic, a, 3), ...numbered(topic, b, 3))
    const readers = [
      await stage.read({ group: `${topic}-one`, topics: [topic] }),
      await stage.read({ group: `${topic}-two`, topics: [topic] }),
    ]
    for (const reader of readers) await stage.eventually(() => assert.equal(reader.finished.length, 6))
    const groups = await (await stage.main).listGroups()
    assert.ok(groups.includes(`${topic}-one`) && groups.includes(`${topic}-two`), `got ${groups}`)
  }),

  conformanceCase('close lets running records finish, starts nothing more, and commits', async (stage) => {
    const topic = await stage.topic('close')
    const group = `${topic}-group`
    const begun = stage.gate()
    const gate = stage.gate()
    await stage.send(...numbered(topic, 'k', 5))
    const reader = await stage.read({
      group,
      topics: [topic],
      each: async ({ offset }) => {
        if (offset !== 1n) return
        begun.open()
        await gate.passed
      },
    })
    await begun.passed
    const closing = reader.subscription.close(5000)
    await stage.eventually(() => assert.equal(reader.batches[0]?.signal.aborted, true))
    gate.open()
    await closing
    assert.deepEqual(reader.values, ['0', '1'])
    assert.deepEqual(await stage.committed(group, topic), ['0:2'])
    assert.equal(await (await stage.main).members(group), 0)
    const next = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(next.values, ['2', '3', '4']))
  }),

  conformanceCase('close gives up at its deadline, and what was abandoned comes again', async (stage) => {
    const topic = await stage.topic('deadline')
    const group = `${topic}-group`
    const begun = stage.gate()
    const gate = stage.gate()
    await stage.send(...numbered(topic, 'k', 2))
    const hung = await stage.read(
      {
        group,
        topics: [topic],
        handle: async () => {
          begun.open()
          await gate.passed
          return { next: 2n, retryInMs: 0 }
        },
      },
      await stage.open(),
    )
    await begun.passed
    await assert.rejects(hung.subscription.close(50), CloseDeadlineError)
    const next = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(next.values, ['0', '1']))
    gate.open()
  }),

  conformanceCase('closing one client leaves the others at work', async (stage) => {
    const topic = await stage.topic('other')
    const group = `${topic}-group`
    const closed = await stage.open()
    await stage.read({ group: `${topic}-gone`, topics: [topic] }, closed)
    const reader = await stage.read({ group, topics: [topic] })
    await closed.close()
    await stage.send(...numbered(topic, 'k', 2))
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '1']))
  }),

  conformanceCase('no more is in flight than allowed, over all partitions, and all of it comes', async (stage) => {
    const topic = await stage.topic('bounded', 4)
    const recordBytes = 100_000
    const maxInFlightBytes = 250_000
    const value = 'x'.repeat(recordBytes)
    // One send each, because a log may hand out all that was written at once.
    for (let i = 0; i < 12; i++) await stage.send(message(topic, keyFor(i % 4, 4), value))
    const gate = stage.gate()
    let inFlight = 0
    let most = 0
    let finished = 0
    await stage.read({
      group: `${topic}-group`,
      topics: [topic],
      maxInFlightBytes,
      handle: async ({ deliveries }) => {
        inFlight += deliveries.length
        most = Math.max(most, inFlight)
        await gate.passed
        inFlight -= deliveries.length
        finished += deliveries.length
        return { next: (deliveries.at(-1)?.offset ?? 0n) + 1n, retryInMs: 0 }
      },
    })
    await stage.eventually(() => assert.ok(inFlight >= 2))
    gate.open()
    await stage.eventually(() => assert.equal(finished, 12))
    // The last fetch before the limit is reached may bring one record more than there is room for.
    assert.ok(most * recordBytes <= maxInFlightBytes + recordBytes, `${most} records of ${recordBytes} bytes at once`)
  }),
]
