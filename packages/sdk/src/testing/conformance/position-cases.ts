import assert from 'node:assert/strict'
import { BrokerRefusedError, HistoryGapError, UnknownTopicError } from '../../core/errors.ts'
import { defineTopic } from '../../core/topic.ts'
import type { ConformanceCase } from './conformance.ts'
import { Reader } from './reader.ts'
import { conformanceCase, keyFor, message, numbered } from './stage.ts'

/** A key of each of two partitions. */
const [a, b] = [keyFor(0, 2), keyFor(1, 2)]

/** Topics, positions in them, and how to move or lose one. */
export const positionCases: readonly ConformanceCase[] = [
  conformanceCase('creates topics once, lists them with their partitions, and deletes them', async (stage) => {
    const topic = await stage.topic('admin', 3)
    const client = await stage.main
    await stage.send(message(topic, 'k', 'kept'))
    await client.createTopics([defineTopic({ name: topic, partitions: 3 })])
    const listed = (await client.listTopics()).filter(({ name }) => name === topic)
    assert.deepEqual(
      listed.map(({ name, partitions }) => ({ name, partitions })),
      [{ name: topic, partitions: 3 }],
    )
    assert.equal(await stage.count(topic), 1)
    await client.deleteTopics([topic])
    await stage.eventually(async () => {
      const names = (await client.listTopics()).map(({ name }) => name)
      assert.ok(!names.includes(topic), 'the topic is still there')
    })
  }),

  conformanceCase('knows the first and the next offset of every partition', async (stage) => {
    const topic = await stage.topic('offsets', 3)
    const client = await stage.main
    const empty = await client.offsets(topic)
    assert.deepEqual(
      empty.map(({ partition, low, high }) => [partition, low, high]),
      [0, 1, 2].map((partition) => [partition, 0n, 0n]),
    )
    await stage.send(...numbered(topic, 'k', 5))
    const [filled] = (await client.offsets(topic)).filter(({ high }) => high > 0n)
    assert.deepEqual([filled?.low, filled?.high], [0n, 5n])
    await client.deleteRecords(topic, filled?.partition ?? 0, 2n)
    const [cut] = (await client.offsets(topic)).filter(({ high }) => high > 0n)
    assert.deepEqual([cut?.low, cut?.high], [2n, 5n])
    await assert.rejects(client.offsets(stage.harness.topicName('missing')), UnknownTopicError)
  }),

  conformanceCase('a group starts at the oldest record that is left when it has no committed offset', async (stage) => {
    const topic = await stage.topic('oldest')
    await stage.send(...numbered(topic, 'k', 4))
    await (await stage.main).deleteRecords(topic, 0, 2n)
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(reader.values, ['2', '3']))
    assert.ok(!reader.states.includes('gap'), 'a gap was reported where nothing was lost')
  }),

  conformanceCase('a seek back hands records over again, under a higher generation', async (stage) => {
    const topic = await stage.topic('seek-back')
    await stage.send(...numbered(topic, 'k', 4))
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    await stage.eventually(() => assert.equal(reader.finished.length, 4))
    const before = reader.batches.at(-1)?.generation ?? 0
    await reader.subscription.seek({ topic, partition: 0, offset: 1n })
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '1', '2', '3', '1', '2', '3']))
    // Otherwise whoever remembers what it had finished beyond the offset would skip it.
    assert.ok((reader.batches.at(-1)?.generation ?? 0) > before, 'the generation did not grow')
  }),

  conformanceCase('a seek forward leaves out what lies between', async (stage) => {
    const topic = await stage.topic('seek-forward')
    const group = `${topic}-group`
    const reader = await stage.read({
      group,
      topics: [topic],
      retryInMs: 60_000,
      each: ({ offset }) => {
        if (offset === 1n) throw new Error('never')
      },
    })
    await stage.send(...numbered(topic, 'k', 5))
    await stage.eventually(() => assert.deepEqual(reader.values, ['0']))
    await stage.eventually(() => assert.equal(reader.owned.length, 1))
    await reader.subscription.seek({ topic, partition: 0, offset: 3n })
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '3', '4']))
    await reader.subscription.close(5000)
    assert.deepEqual(await stage.committed(group, topic), ['0:5'])
  }),

  conformanceCase('a seek during a batch takes effect when the batch has returned', async (stage) => {
    const topic = await stage.topic('seek-during')
    const group = `${topic}-group`
    const begun = stage.gate()
    const gate = stage.gate()
    await stage.send(...numbered(topic, 'k', 4))
    const reader = await stage.read({
      group,
      topics: [topic],
      each: async ({ offset }, batch) => {
        if (offset !== 2n || batch !== reader.batches[0]) return
        begun.open()
        await gate.passed
      },
    })
    await begun.passed
    await reader.subscription.seek({ topic, partition: 0, offset: 0n })
    gate.open()
    await stage.eventually(() => assert.deepEqual(reader.values.slice(-4), ['0', '1', '2', '3']))
    await stage.eventually(() => assert.ok(reader.values.length >= 6, `got ${reader.values}`))
  }),

  conformanceCase('records that are gone stop their partition instead of being skipped', async (stage) => {
    const topic = await stage.topic('gap', 2)
    const group = `${topic}-group`
    const client = await stage.main
    await stage.send(...numbered(topic, a, 6), ...numbered(topic, b, 1))
    const partition = 0
    await client.setOffsets(group, topic, [{ partition, offset: 2n }])
    await client.deleteRecords(topic, partition, 4n)
    const reader = await stage.read({ group, topics: [topic] })
    const gap = await stage.eventually(() => {
      const status = reader.statuses.find(({ state }) => state === 'gap')
      assert.ok(status !== undefined && 'error' in status, 'no gap was reported')
      return status.error
    })
    assert.ok(gap instanceof HistoryGapError, `expected a HistoryGapError, got ${gap}`)
    assert.deepEqual([gap.topic, gap.partition, gap.committed, gap.available], [topic, partition, 2n, 4n])
    await stage.send(...numbered(topic, b, 3, 1), ...numbered(topic, a, 1, 6))
    await stage.eventually(() => assert.deepEqual(reader.values, ['0', '1', '2', '3']))
    assert.ok((await stage.committed(group, topic)).includes(`${partition}:2`), 'the evidence of the gap was erased')
    await reader.subscription.seek({ topic, partition, offset: 4n })
    await stage.eventually(() => assert.deepEqual(reader.values.slice(4), ['4', '5', '6']))
    assert.equal(reader.states.at(-1), 'running', 'the gap is closed, and readiness would still name it')
  }),

  conformanceCase('records that disappear before a running member reached them stop the partition', async (stage) => {
    const topic = await stage.topic('running-gap')
    const group = `${topic}-group`
    const client = await stage.main
    const reader = await stage.read({
      group,
      topics: [topic],
      retryInMs: 300,
      each: ({ offset }) => {
        if (offset === 1n) throw new Error('not now')
      },
    })
    await stage.send(...numbered(topic, 'k', 6))
    await stage.eventually(() => assert.deepEqual(reader.values, ['0']))
    await client.deleteRecords(topic, 0, 4n)
    await stage.eventually(() => assert.ok(reader.states.includes('gap'), `got ${reader.states}`))
    assert.deepEqual(reader.values, ['0'])
  }),

  conformanceCase('offsets of a group can be moved while it has no members, and only then', async (stage) => {
    const topic = await stage.topic('move')
    const group = `${topic}-group`
    const client = await stage.main
    await stage.send(...numbered(topic, 'k', 4))
    await client.setOffsets(group, topic, [{ partition: 0, offset: 3n }])
    assert.deepEqual(await stage.committed(group, topic), ['0:3'])
    const reader = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(reader.values, ['3']))
    await assert.rejects(client.setOffsets(group, topic, [{ partition: 0, offset: 0n }]), BrokerRefusedError)
    await reader.subscription.close(5000)
    await client.setOffsets(group, topic, [{ partition: 0, offset: 2n }])
    const next = await stage.read({ group, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(next.values, ['2', '3']))
  }),

  conformanceCase('an unknown group has no members and no offsets', async (stage) => {
    const topic = await stage.topic('unknown-group')
    assert.equal(await (await stage.main).members(`${topic}-group`), 0)
    assert.deepEqual(await stage.committed(`${topic}-group`, topic), [])
  }),

  conformanceCase(
    'a subscription names the topic that is missing, and begins by itself when it is there',
    async (stage) => {
      const topic = stage.harness.topicName('later')
      const client = await stage.open()
      const reader = new Reader({ group: `${topic}-group`, topics: [topic] })
      const subscribing = client.subscribe(reader.subscribeOptions)
      await stage.eventually(() => {
        const attempts = reader.statuses.filter((status) => status.state === 'connecting' && status.error !== undefined)
        assert.ok(attempts.length >= 2, `got ${reader.states}`)
        const [first] = attempts
        assert.ok(
          first !== undefined && 'error' in first && first.error instanceof UnknownTopicError,
          `expected an UnknownTopicError, got ${JSON.stringify(first)}`,
        )
        assert.equal(first.error.topic, topic)
      })
      await (await stage.main).createTopics([defineTopic({ name: topic })])
      await stage.send(message(topic, 'k', 'first'))
      await subscribing
      await stage.eventually(() => assert.deepEqual(reader.values, ['first']))
    },
  ),

  conformanceCase('the attempts to subscribe end with their signal', async (stage) => {
    const topic = stage.harness.topicName('never')
    const client = await stage.open()
    const giveUp = new AbortController()
    const reader = new Reader({ group: `${topic}-group`, topics: [topic], signal: giveUp.signal })
    const subscribing = client.subscribe(reader.subscribeOptions)
    await stage.eventually(() => assert.ok(reader.states.includes('connecting'), `got ${reader.states}`))
    const reason = new Error('enough')
    giveUp.abort(reason)
    await assert.rejects(subscribing, reason)
  }),
]
