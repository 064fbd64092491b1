/** What plain kafkajs does when consuming goes wrong, and what this driver does with the same fault. */
import kafkajs, { type ConsumerCrashEvent } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { raw, readWithOurs, withFaultyBroker } from '../../../../test/faulty-broker.ts'
import { CloseDeadlineError, HistoryGapError } from '../core/errors.ts'

const broker = withFaultyBroker()

const send = async (topic: string, ...values: string[]) => {
  await broker()
    .ours()
    .send(raw(topic, ...values))
}

const members = async (group: string) => {
  const { groups } = await broker().admin.describeGroups([group])
  return groups[0]?.members.length
}

/** Something that another part of a test waits for. */
function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), passed }
}

describe('a handler that throws a TypeError once', () => {
  test('plain kafkajs stops for good, in a process that lives on', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, 'bad')
    const consumer = broker().plainConsumer({ groupId: group })
    const handled: string[] = []
    const crashes: ConsumerCrashEvent['payload'][] = []
    consumer.on('consumer.crash', ({ payload }) => crashes.push(payload))
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        handled.push(String(message.value))
        if (handled.length === 1) throw new TypeError('x is not a function')
      },
    })
    await eventually(() => expect(crashes.at(-1)).toMatchObject({ restart: false }))
    await eventually(async () => expect(await members(group)).toBe(0))
    await send(topic, 'good')
    expect(handled).toEqual(['bad'])
  })

  test('this driver hands the record over again, and those behind it', async () => {
    const topic = await broker().topic()
    await send(topic, 'bad')
    const kafka = broker().ours()
    let calls = 0
    const { values } = await readWithOurs(kafka, { group: `${topic}-group`, topics: [topic] }, () => {
      if (++calls === 1) throw new TypeError('x is not a function')
    })
    await send(topic, 'good')
    await eventually(() => expect(values).toEqual(['bad', 'good']))
    expect(calls).toBe(3)
  })
})

describe('records that are deleted before a group has read them', () => {
  /** A group that stands at 2 of a topic whose records begin at 4 and end at 6. */
  async function gap() {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, ...'012345')
    await broker().admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '2' }] })
    await broker().admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
    return { topic, group }
  }

  test('plain kafkajs jumps to the end and commits -1 over the place where it stood', async () => {
    const { topic, group } = await gap()
    const consumer = broker().plainConsumer({ groupId: group })
    const handled: string[] = []
    await consumer.subscribe({ topic })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        handled.push(String(message.value))
      },
    })
    await eventually(async () => expect(await broker().committed(group, topic)).toBe('-1'))
    await send(topic, '6')
    await eventually(() => expect(handled).toEqual(['6']))
  })

  test('this driver stops the partition with an alarm that names the gap, and leaves the evidence', async () => {
    const { topic, group } = await gap()
    const { subscription, values, statuses } = await readWithOurs(broker().ours(), { group, topics: [topic] })
    const error = await eventually(() => {
      const status = statuses.find(({ state }) => state === 'gap')
      if (status === undefined || !('error' in status)) throw new Error(`no gap among ${JSON.stringify(statuses)}`)
      return status.error
    })
    expect(error).toBeInstanceOf(HistoryGapError)
    expect(error).toMatchObject({ topic, partition: 0, committed: 2n, available: 4n })
    expect(values).toEqual([])
    expect(await broker().committed(group, topic)).toBe('2')
    // A person has decided.
    await subscription.seek({ topic, partition: 0, offset: 4n })
    await eventually(() => expect(values).toEqual(['4', '5']))
  })
})

describe('an offset that is committed while the consumer stops', () => {
  test('plain kafkajs says that it is committed, and the group has none', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, 'one')
    const consumer = broker().plainConsumer({ groupId: group })
    const [handling, stopping] = [gate(), gate()]
    const committed = gate()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async () => {
        handling.open()
        await stopping.passed
        await consumer.commitOffsets([{ topic, partition: 0, offset: '1' }])
        committed.open()
      },
    })
    await handling.passed
    const stopped = consumer.stop()
    stopping.open()
    await committed.passed
    await stopped
    expect(await broker().committed(group, topic)).toBe('-1')
  })

  test('this driver has it committed before it leaves', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, 'one')
    const [handling, closing] = [gate(), gate()]
    const { subscription } = await readWithOurs(broker().ours(), { group, topics: [topic] }, async () => {
      handling.open()
      await closing.passed
    })
    await handling.passed
    const closed = subscription.close(10_000)
    closing.open()
    await closed
    expect(await broker().committed(group, topic)).toBe('1')
  })
})

describe('closing that is awaited inside a handler', () => {
  test('plain kafkajs waits for itself, and so does whoever closes it from outside', async () => {
    const topic = await broker().topic()
    await send(topic, 'one')
    const consumer = broker().plainConsumer({ groupId: `${topic}-group` })
    const [inside, release] = [gate(), gate()]
    const ended: string[] = []
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async () => {
        inside.open()
        await Promise.race([consumer.disconnect().then(() => ended.push('inside')), release.passed])
      },
    })
    await inside.passed
    const outside = consumer.disconnect().then(() => ended.push('outside'))
    // Far longer than an idle consumer takes, which is the 100 ms of one fetch.
    await new Promise((resolve) => setTimeout(resolve, 2000))
    expect(ended).toEqual([])
    release.open()
    await outside
  })

  test('this driver ends by the deadline, with an error that says so', async () => {
    const topic = await broker().topic()
    const group = `${topic}-group`
    await send(topic, 'one')
    const failed = gate()
    let error: unknown
    const { subscription } = await readWithOurs(broker().ours(), { group, topics: [topic] }, async () => {
      await subscription.close(300).catch((thrown: unknown) => {
        error = thrown
      })
      failed.open()
    })
    await failed.passed
    expect(error).toBeInstanceOf(CloseDeadlineError)
    await eventually(async () => expect(await members(group)).toBe(0))
    expect(await broker().committed(group, topic)).toBe('-1')
  })
})

describe('a group whose members read different topics, as during a deployment', () => {
  test('plain kafkajs leaves the new topic to nobody, without a word', async () => {
    const [old, added] = [await broker().topic(), await broker().topic()]
    const group = `${old}-group`
    const owned: Record<string, readonly number[]>[] = []
    for (const [i, topics] of [[old], [old, added]].entries()) {
      const consumer = broker().plainConsumer({ groupId: group })
      consumer.on('consumer.group_join', ({ payload }) => {
        owned[i] = payload.memberAssignment
      })
      await consumer.subscribe({ topics, fromBeginning: true })
      await consumer.run({ eachMessage: async () => {} })
      await eventually(() => expect(owned[i]).toBeDefined())
    }
    await eventually(async () => expect(await members(group)).toBe(2))
    await eventually(() => expect(owned.flatMap(Object.keys).sort()).toEqual([old]))
    expect(owned.flatMap((assignment) => assignment[added] ?? [])).toEqual([])
  })

  test('this driver gives it to the member that reads it', async () => {
    const [old, added] = [await broker().topic(), await broker().topic()]
    const group = `${old}-group`
    const first = await readWithOurs(broker().ours(), { group, topics: [old] })
    const second = await readWithOurs(broker().ours(), { group, topics: [old, added] })
    await send(added, 'new')
    await send(old, 'old')
    await eventually(() => expect([...first.values, ...second.values].sort()).toEqual(['new', 'old']))
    expect(second.values).toContain('new')
  })
})

describe('a batch whose compression is not registered', () => {
  /** One such batch in partition 0, as another program may write it, and a plain one in partition 1. */
  async function foreignBatch() {
    const topic = await broker().topic(2)
    const { CompressionCodecs, CompressionTypes } = kafkajs
    const original = CompressionCodecs[CompressionTypes.Snappy]
    CompressionCodecs[CompressionTypes.Snappy] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => uncompressedSnappy(buffer),
      decompress: async (bytes: Buffer) => bytes,
    })
    const producer = await broker().plainProducer()
    await producer.send({
      topic,
      compression: CompressionTypes.Snappy,
      messages: [{ value: 'squeezed', partition: 0 }],
    })
    CompressionCodecs[CompressionTypes.Snappy] = original
    await producer.send({ topic, messages: [{ value: 'plain', partition: 1 }] })
    return topic
  }

  test('plain kafkajs stops for good, with all its partitions', async () => {
    const topic = await foreignBatch()
    const consumer = broker().plainConsumer({ groupId: `${topic}-group` })
    const crashes: ConsumerCrashEvent['payload'][] = []
    consumer.on('consumer.crash', ({ payload }) => crashes.push(payload))
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async () => {} })
    await eventually(() => expect(crashes.at(-1)).toMatchObject({ restart: false }))
    expect(crashes.at(-1)?.error.message).toBe('Snappy compression not implemented')
  })

  test('this driver stops its partition with an alarm that says where and what to install; others go on', async () => {
    const topic = await foreignBatch()
    const options = { group: `${topic}-group`, topics: [topic] }
    const { subscription, values, statuses } = await readWithOurs(broker().ours(), options)
    await eventually(() =>
      expect(statuses.at(-1)).toMatchObject({
        error: { code: 'EVT_UNREADABLE_BATCH', topic, partition: 0, offset: 0n },
      }),
    )
    expect(String(statuses.map((status) => 'error' in status && status.error).at(-1))).toContain('kafkajs-snappy')
    await eventually(() => expect(values).toEqual(['plain']))
    // A person has decided.
    await subscription.seek({ topic, partition: 0, offset: 1n })
    await eventually(() => expect(statuses.at(-1)?.state).toBe('running'))
  })
})

/** Bytes in the form of Snappy that Kafka takes, none of which are compressed. */
function uncompressedSnappy(bytes: Buffer): Buffer {
  const length = [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
  // One literal, whose length is in two bytes.
  const block = Buffer.concat([
    Buffer.from([...length, 61 << 2, (bytes.length - 1) & 0xff, (bytes.length - 1) >> 8]),
    bytes,
  ])
  const head = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const size = Buffer.alloc(4)
  size.writeInt32BE(block.length)
  return Buffer.concat([head, size, block])
}
