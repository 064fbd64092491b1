import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { createConsumer } from '../../core/consumer.ts'
import { defineEvent } from '../../core/event.ts'
import { silentLogger } from '../../core/logger.ts'
import { createProducer } from '../../core/producer.ts'
import { defineTopic } from '../../core/topic.ts'
import { collectRejections } from '../rejections.ts'
import type { ConformanceCase } from './conformance.ts'
import { conformanceCase, message } from './stage.ts'

interface Step {
  readonly id: string
  readonly step: number
}

const stepSchema: StandardSchemaV1<Step> = {
  '~standard': {
    version: 1,
    vendor: 'evtkit',
    validate(value) {
      if (typeof value !== 'object' || value === null) return { issues: [{ message: 'expected an object' }] }
      const { id, step } = { id: undefined, step: undefined, ...value }
      if (typeof id !== 'string') return { issues: [{ path: ['id'], message: 'expected text' }] }
      if (typeof step !== 'number') return { issues: [{ path: ['step'], message: 'expected a number' }] }
      return { value: { id, step } }
    },
  },
}

const stepTaken = (topic: string) =>
  defineEvent({
    type: 'StepTaken',
    topic: defineTopic({ name: topic, partitions: 2 }),
    schema: stepSchema,
    key: (step) => step.id,
  })

/** How the transport carries the typed edges: whatever a handler or a record does, consuming goes on. */
export const edgeCases: readonly ConformanceCase[] = [
  conformanceCase(
    'records that cannot be read stop nothing, and the offset passes them only once they are set aside',
    async (stage) => {
      const topic = await stage.topic('unreadable', 1)
      const group = `${topic}-group`
      const client = await stage.main
      const StepTaken = stepTaken(topic)
      const producer = createProducer({ sender: client, source: 'conformance' })
      await stage.send(
        message(topic, 'k', 'not an envelope'),
        message(topic, 'k', null),
        message(topic, null, '{"eventType":"StepTaken"}'),
        message(topic, 'k', '{"__proto__":{"polluted":true}}', [
          ['__proto__', Buffer.from('p')],
          ['constructor', Buffer.from('c')],
          ['event-type', Buffer.alloc(2000, 'x')],
          ['event-id', Buffer.from([0xff, 0x00])],
        ]),
      )
      await producer.publish(StepTaken, { id: 'other', step: 1 })
      const gate = stage.gate()
      const rejections = collectRejections()
      const steps: number[] = []
      const consumer = createConsumer({
        source: client,
        group,
        logger: silentLogger,
        rejected: async (rejection) => {
          await gate.passed
          await rejections.handler(rejection)
        },
      })
      consumer.on(StepTaken, ({ data }) => {
        steps.push(data.step)
      })
      await consumer.start()
      try {
        // The good record has a lane of its own, so it is done while the others still wait to be set aside.
        await stage.eventually(() => assert.deepEqual(steps, [1]))
        const committed = await stage.committed(group, topic)
        assert.ok(
          committed.every((offset) => offset === '0:0'),
          `the offset moved to ${committed} over records that were not set aside`,
        )
        gate.open()
        await stage.eventually(async () => assert.deepEqual(await stage.committed(group, topic), ['0:5']))
      } finally {
        gate.open()
        await consumer.close()
      }
      assert.deepEqual(
        rejections.list.map(({ error: { code } }) => code),
        Array.from({ length: 4 }, () => 'EVT_UNDECODABLE_RECORD'),
      )
      assert.equal(rejections.list[0]?.delivery.message.value?.toString(), 'not an envelope')
      assert.ok(!('polluted' in {}), 'a record changed the prototype of every object')
    },
  ),

  conformanceCase('a handler that fails stops nothing: its key waits for it, other keys go on', async (stage) => {
    const topic = await stage.topic('failing', 2)
    const client = await stage.main
    const StepTaken = stepTaken(topic)
    const producer = createProducer({ sender: client, source: 'conformance' })
    const seen: string[] = []
    let repaired = false
    const consumer = createConsumer({
      source: client,
      group: `${topic}-group`,
      logger: silentLogger,
      rejected: collectRejections().handler,
      retry: { initialMs: 10, maxMs: 20 },
    })
    consumer.on(StepTaken, ({ data: { id, step } }) => {
      if (id === 'bad' && step === 0 && !repaired) throw new TypeError('Cannot read properties of undefined')
      seen.push(`${id}${step}`)
    })
    await consumer.start()
    try {
      const others = ['a', 'b', 'c', 'd', 'e']
      for (const step of [0, 1]) for (const id of ['bad', ...others]) await producer.publish(StepTaken, { id, step })
      await stage.eventually(() => assert.equal(seen.length, 10))
      assert.ok(!seen.some((entry) => entry.startsWith('bad')), 'a later event of the key overtook the failed one')
      assert.equal(consumer.health().state, 'blocked')
      repaired = true
      await stage.eventually(() => assert.deepEqual(seen.slice(10), ['bad0', 'bad1']))
      for (const id of others)
        assert.deepEqual(
          seen.filter((entry) => entry.startsWith(id) && !entry.startsWith('bad')),
          [`${id}0`, `${id}1`],
        )
    } finally {
      await consumer.close()
    }
  }),

  conformanceCase('a consumer that closes under load leaves nothing half done', async (stage) => {
    const topic = await stage.topic('under-load', 2)
    const group = `${topic}-group`
    const StepTaken = stepTaken(topic)
    const producer = createProducer({ sender: await stage.main, source: 'conformance' })
    const begun: string[] = []
    const done: string[] = []
    const start = async () => {
      const consumer = createConsumer({
        source: await stage.open(),
        group,
        logger: silentLogger,
        rejected: collectRejections().handler,
      })
      consumer.on(StepTaken, async ({ data: { id, step } }) => {
        begun.push(`${id}${step}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        done.push(`${id}${step}`)
      })
      await consumer.start()
      return consumer
    }
    const first = await start()
    const ids = ['a', 'b', 'c', 'd']
    for (let step = 0; step < 25; step++) await Promise.all(ids.map((id) => producer.publish(StepTaken, { id, step })))
    await stage.eventually(() => assert.ok(done.length > 10, `only ${done.length} were handled`))
    await first.close()
    assert.deepEqual(begun.sort(), [...done].sort(), 'close returned before its handlers did')
    const second = await start()
    try {
      await stage.eventually(() => assert.equal(done.length, 100))
      assert.equal(new Set(done).size, 100)
    } finally {
      await second.close()
    }
  }),
]
