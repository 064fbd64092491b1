import assert from 'node:assert/strict'
import { ClosedError, RecordTooLargeError, SendFailedError, UnknownTopicError } from '../../core/errors.ts'
import type { Header } from '../../core/message.ts'
import type { ConformanceCase } from './conformance.ts'
import { conformanceCase, message, numbered } from './stage.ts'

/** Hashes that the Java client's own tests expect of `Utils.murmur2`. */
const javaHashes: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

const hostileHeaders: readonly Header[] = [
  ['constructor', Buffer.from('c')],
  ['__proto__', Buffer.from('p')],
  ['toString', Buffer.from('t')],
  ['twice', Buffer.from('first')],
  ['twice', Buffer.from('second')],
  ['empty', Buffer.alloc(0)],
  ['binary', Buffer.from([0xff, 0x00, 0xfe, 0x0a])],
]

const rejectionOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'expected a rejection, got a result' })
}

/** How messages get into the log. */
export const sendingCases: readonly ConformanceCase[] = [
  conformanceCase('keeps the order of a key across calls that do not wait for each other', async (stage) => {
    const topic = await stage.topic('order', 3)
    const client = await stage.main
    const keys = ['a', 'b', 'c', 'd']
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.send(keys.map((key) => message(topic, key, `${key}${i}`)))),
    )
    const records = await stage.harness.dump(topic)
    assert.equal(records.length, 400)
    for (const key of keys)
      assert.deepEqual(
        records.filter((record) => record.key === key).map((record) => record.value),
        Array.from({ length: 100 }, (_, i) => `${key}${i}`),
      )
  }),

  conformanceCase("puts a key where Java's murmur2 puts it", async (stage) => {
    const partitions = 7
    const topic = await stage.topic('murmur2', partitions)
    await stage.send(...javaHashes.map(([key]) => message(topic, key, key)))
    const records = await stage.harness.dump(topic)
    assert.deepEqual(
      new Map(records.map(({ key, partition }) => [key, partition])),
      new Map(
        javaHashes.map(([key, hash]) => [key, (hash & 0x7fffffff) % partitions] as const).sort(([, a], [, b]) => a - b),
      ),
    )
  }),

  conformanceCase('carries headers byte for byte, whatever their names', async (stage) => {
    const topic = await stage.topic('headers')
    await stage.send(message(topic, 'k', 'v', hostileHeaders))
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    const headers = await stage.eventually(() => {
      assert.equal(reader.finished.length, 1)
      return reader.finished[0]?.message.headers ?? []
    })
    const readable = (list: readonly Header[]) => list.map(([name, value]) => [name, value.toString('hex')])
    assert.deepEqual(readable(headers), readable(hostileHeaders))
    for (const [, value] of headers) assert.ok(Buffer.isBuffer(value), `expected a Buffer, got ${typeof value}`)
  }),

  conformanceCase('tells null from empty, in keys and in values', async (stage) => {
    const topic = await stage.topic('null')
    await stage.send(message(topic, null, null), message(topic, '', ''), message(topic, null, 'v'))
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    await stage.eventually(() => assert.equal(reader.finished.length, 3))
    const texts = reader.finished.map(({ message: { key, value } }) => [
      key?.toString() ?? null,
      value?.toString() ?? null,
    ])
    // Order is promised per key only.
    assert.deepEqual(
      new Set(texts.map((pair) => JSON.stringify(pair))),
      new Set(['[null,null]', '["",""]', '[null,"v"]']),
    )
  }),

  conformanceCase('delivers every message without a key once, over all partitions', async (stage) => {
    const topic = await stage.topic('keyless', 3)
    const values = Array.from({ length: 60 }, (_, i) => `v${i}`)
    for (let i = 0; i < values.length; i += 10)
      await stage.send(...values.slice(i, i + 10).map((value) => message(topic, null, value)))
    const records = await stage.harness.dump(topic)
    assert.deepEqual(records.map(({ value }) => value).sort(), values.sort())
    assert.ok(new Set(records.map(({ partition }) => partition)).size > 1, 'all went to one partition')
  }),

  conformanceCase('keeps the timestamp that was given, and sets one when none was', async (stage) => {
    const topic = await stage.topic('time')
    await stage.send({ ...message(topic, 'k', 'given'), timestamp: 1_700_000_000_123 }, message(topic, 'k', 'absent'))
    const reader = await stage.read({ group: `${topic}-group`, topics: [topic] })
    await stage.eventually(() => assert.deepEqual(reader.values, ['given', 'absent']))
    const [given, absent] = reader.finished.map(({ message: { timestamp } }) => timestamp)
    assert.equal(given, 1_700_000_000_123)
    assert.ok(typeof absent === 'number' && absent > 1_700_000_000_123, `expected a timestamp, got ${absent}`)
  }),

  conformanceCase(
    'a message to a topic that does not exist is refused by name, and the others are written',
    async (stage) => {
      const topic = await stage.topic('known')
      const missing = stage.harness.topicName('missing')
      const error = await rejectionOf(
        stage.send(message(topic, 'k', 'before'), message(missing, 'k', 'lost'), message(topic, 'k', 'after')),
      )
      assert.ok(error instanceof SendFailedError, `expected a SendFailedError, got ${error}`)
      assert.deepEqual([...error.failures.keys()], [1])
      const failure = error.failures.get(1)
      assert.ok(failure?.error instanceof UnknownTopicError, `expected an UnknownTopicError, got ${failure?.error}`)
      assert.equal(failure.error.topic, missing)
      assert.equal(error.retryable, false)
      assert.deepEqual(
        (await stage.harness.dump(topic)).map(({ value }) => value),
        ['before', 'after'],
      )
      const topics = await (await stage.main).listTopics()
      assert.ok(!topics.some(({ name }) => name === missing), 'the topic was created by sending to it')
    },
  ),

  conformanceCase('a message that is too large is refused, and the others are written', async (stage) => {
    const topic = await stage.topic('large')
    const large = { ...message(topic, 'k', ''), value: Buffer.alloc(1_200_000, 'x') }
    const error = await rejectionOf(stage.send(message(topic, 'k', 'before'), large, message(topic, 'other', 'after')))
    assert.ok(error instanceof SendFailedError, `expected a SendFailedError, got ${error}`)
    assert.deepEqual([...error.failures.keys()], [1])
    assert.ok(error.failures.get(1)?.error instanceof RecordTooLargeError, `got ${error.failures.get(1)?.error}`)
    assert.deepEqual(
      (await stage.harness.dump(topic)).map(({ value }) => value),
      ['before', 'after'],
    )
  }),

  conformanceCase(
    'what follows a failed message of its key in the same call is held back, and nothing else is',
    async (stage) => {
      const topic = await stage.topic('held-back')
      const large = { ...message(topic, 'k', ''), value: Buffer.alloc(1_200_000, 'x') }
      const [error] = await Promise.all([
        rejectionOf(
          stage.send(
            message(topic, 'k', 'before'),
            large,
            message(topic, 'k', 'behind'),
            message(topic, 'other', 'beside'),
            message(topic, 'k', 'last'),
          ),
        ),
        stage.send(message(topic, 'k', 'of another call')),
      ])
      assert.ok(error instanceof SendFailedError, `expected a SendFailedError, got ${error}`)
      assert.deepEqual([...error.failures].map(([index, failure]) => [index, failure.error.code]).sort(), [
        [1, 'EVT_RECORD_TOO_LARGE'],
        [2, 'EVT_HELD_BACK'],
        [4, 'EVT_HELD_BACK'],
      ])
      assert.deepEqual(
        (await stage.harness.dump(topic)).map(({ value }) => value),
        ['before', 'beside', 'of another call'],
      )
    },
  ),

  conformanceCase('a failed message does not fail the calls beside it', async (stage) => {
    const topic = await stage.topic('beside')
    const missing = stage.harness.topicName('missing')
    const client = await stage.main
    const results = await Promise.allSettled([
      client.send([message(topic, 'k', 'one')]),
      client.send([message(missing, 'k', 'lost')]),
      client.send([message(topic, 'k', 'two')]),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(
      (await stage.harness.dump(topic)).map(({ value }) => value),
      ['one', 'two'],
    )
  }),

  conformanceCase(
    'a lost produce response loses nothing and keeps the order of first copies',
    async (stage) => {
      const topic = await stage.topic('lost-response')
      const client = await stage.main
      await client.send([message(topic, 'k', 'warm')])
      // A sender may send again by itself or leave that to its caller; the log must be right in both cases.
      const sendUntilAcknowledged = async (value: string) => {
        for (;;) {
          try {
            return await client.send([message(topic, 'k', value)])
          } catch (error) {
            if (!(error instanceof SendFailedError && error.retryable)) throw error
          }
        }
      }
      const values: string[] = []
      for (let round = 0; round < 2; round++) {
        await stage.harness.loseNextProduceResponse?.()
        const batch = Array.from({ length: 10 }, (_, i) => `r${round}v${i}`)
        values.push(...batch)
        await Promise.all(batch.map(sendUntilAcknowledged))
      }
      const records = (await stage.harness.dump(topic)).map(({ value }) => value)
      assert.deepEqual([...new Set(records)], ['warm', ...values])
    },
    { ability: 'lose-responses', because: 'nothing lies between the client and the log that could lose an answer' },
  ),

  conformanceCase('refuses to send once it is closed', async (stage) => {
    const topic = await stage.topic('closed')
    const client = await stage.open()
    await client.send([message(topic, 'k', 'before')])
    await client.close()
    const error = await rejectionOf(client.send([message(topic, 'k', 'after')]))
    assert.ok(error instanceof ClosedError, `expected a ClosedError, got ${error}`)
    assert.equal(await stage.count(topic), 1)
  }),

  conformanceCase('answers every send that was made before it is closed', async (stage) => {
    const topic = await stage.topic('drain')
    const client = await stage.open()
    const sends = numbered(topic, 'k', 20).map((one) => client.send([one]))
    await client.close()
    await Promise.all(sends)
    assert.equal(await stage.count(topic), 20)
  }),
]
