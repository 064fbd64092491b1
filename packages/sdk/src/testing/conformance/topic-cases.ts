import assert from 'node:assert/strict'
import { BrokerRefusedError, UnknownTopicError } from '../../core/errors.ts'
import { defineTopic } from '../../core/topic.ts'
import type { ConformanceCase } from './conformance.ts'
import { conformanceCase, keyFor, message, numbered } from './stage.ts'

const dayMs = 24 * 3_600_000

/** How topics are set up, and how that is changed. */
export const topicCases: readonly ConformanceCase[] = [
  conformanceCase(
    'tells how topics are set up, in the order asked for, without those that are missing',
    async (stage) => {
      const client = await stage.main
      const [first, second] = [stage.harness.topicName('settings-a'), stage.harness.topicName('settings-b')]
      await client.createTopics([
        {
          ...defineTopic({ name: first, partitions: 3, retentionMs: 5 * dayMs }),
          cleanup: 'compact,delete',
          replicas: 1,
        },
        defineTopic({ name: second, retentionMs: -1 }),
      ])
      assert.deepEqual(await client.describeTopics([second, stage.harness.topicName('missing'), first]), [
        { name: second, partitions: 1, retentionMs: -1, cleanup: 'delete', replicas: 1 },
        { name: first, partitions: 3, retentionMs: 5 * dayMs, cleanup: 'compact,delete', replicas: 1 },
      ])
      assert.deepEqual(await client.describeTopics([]), [])
    },
  ),

  conformanceCase('changes one setting of a topic and leaves the others', async (stage) => {
    const client = await stage.main
    const topic = await stage.topic('configure', 2)
    const settings = async () => {
      const [found] = await client.describeTopics([topic])
      return [found?.retentionMs, found?.cleanup]
    }
    await client.configureTopic(topic, { retentionMs: 3 * dayMs })
    await stage.eventually(async () => assert.deepEqual(await settings(), [3 * dayMs, 'delete']))
    await client.configureTopic(topic, { cleanup: 'compact' })
    await stage.eventually(async () => assert.deepEqual(await settings(), [3 * dayMs, 'compact']))
    await client.configureTopic(topic, { retentionMs: -1, cleanup: 'delete' })
    await stage.eventually(async () => assert.deepEqual(await settings(), [-1, 'delete']))
    await assert.rejects(
      client.configureTopic(stage.harness.topicName('missing'), { retentionMs: 1 }),
      UnknownTopicError,
    )
  }),

  conformanceCase('adds partitions, keeps the records, and refuses to take partitions away', async (stage) => {
    const client = await stage.main
    const topic = await stage.topic('grow', 2)
    await stage.send(...numbered(topic, 'k', 3))
    await client.growTopic(topic, 5)
    assert.equal((await client.describeTopics([topic]))[0]?.partitions, 5)
    assert.equal(await stage.count(topic), 3)
    const offsets = await client.offsets(topic)
    assert.deepEqual(
      offsets.map(({ partition }) => partition),
      [0, 1, 2, 3, 4],
    )
    for (const fewer of [5, 4])
      await assert.rejects(client.growTopic(topic, fewer), BrokerRefusedError, `${fewer} partitions were taken`)
    await assert.rejects(client.growTopic(stage.harness.topicName('missing'), 2), UnknownTopicError)
  }),

  conformanceCase('what is sent to a partition that was added is read by a group that starts later', async (stage) => {
    const client = await stage.open()
    const topic = await stage.topic('grow-read', 1)
    await client.growTopic(topic, 4)
    const fresh = await stage.open()
    await fresh.send([message(topic, keyFor(3, 4), 'there')])
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] }, fresh)
    await stage.eventually(() => assert.deepEqual(reader.values, ['there']))
    assert.equal((await client.offsets(topic))[3]?.high, 1n)
  }),
]
