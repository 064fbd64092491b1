/** What a signal does to a service in a process of its own, on a real broker and database. */
import { createProducer, silentLogger } from '@evtkit/sdk'
import { inboxMigrations } from '@evtkit/sdk/inbox'
import { createKafka } from '@evtkit/sdk/kafka'
import { migrate } from '@evtkit/sdk/postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { startChild } from '../../../../test/child.ts'
import { countedEvent } from '../../../../test/counted-event.ts'
import { eventually } from '../../../../test/eventually.ts'
import { freshDatabase } from '../../../../test/fresh-database.ts'

const database = await freshDatabase()
const sql = database.connect()
const brokers = inject('kafkaBrokers')
const kafka = createKafka({ brokers: brokers.split(','), logger: silentLogger })
const producer = createProducer({ sender: kafka, source: 'test' })
let names = 0
let topic = ''
let group = ''

beforeAll(async () => {
  await migrate(sql, [inboxMigrations])
  await sql.query('create table counted (n integer not null)')
})
beforeEach(async () => {
  await sql.query('truncate evtkit_inbox, counted')
  names++
  topic = `closing-${process.pid}-${names}`
  group = `${topic}-group`
  await kafka.createTopics([countedEvent(topic).topic])
})
afterAll(() => kafka.close())

const service = (environment: Readonly<Record<string, string>> = {}) =>
  startChild('service', {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: brokers,
    TOPIC: topic,
    GROUP: group,
    ...environment,
  })
const publish = async (count: number) => {
  for (let n = 0; n < count; n++) await producer.publish(countedEvent(topic), { key: `k${n}`, n })
}
const counted = async () => (await sql.query('select n from counted order by n')).rows.map(({ n }) => n)
const committed = async () => (await kafka.committed(group, topic)).reduce((sum, { offset }) => sum + Number(offset), 0)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('a service that gets SIGTERM', () => {
  test('under load finishes what runs, commits, leaves its group at once and ends with 0; the next one handles the rest, nothing twice', async () => {
    await publish(40)
    const first = service({ HANDLER_MS: '200' })
    await first.said('handling')
    await eventually(async () => expect((await counted()).length).toBeGreaterThan(3))
    first.kill('SIGTERM')
    expect(await first.exited).toEqual({ code: 0, signal: null })
    // At once: not after the session timeout.
    expect(await kafka.members(group)).toBe(0)
    const done = (await counted()).length
    expect(done).toBeLessThan(40)
    expect(await committed()).toBe(done)
    const second = service()
    await eventually(async () => expect(await counted()).toEqual(upTo(40)))
    expect((second.output.match(/handling/g) ?? []).length).toBe(40 - done)
    second.kill('SIGTERM')
    expect(await second.exited).toEqual({ code: 0, signal: null })
  })

  test('while a handler hangs ends by its deadline with 1, and the offset has not moved', async () => {
    await publish(1)
    const hanging = service({ HANDLER_MS: 'Infinity', DEADLINE_MS: '500' })
    await hanging.said('handling 0')
    hanging.kill('SIGTERM')
    expect(await hanging.exited).toEqual({ code: 1, signal: null })
    expect(hanging.output).toMatch(/not everything could be finished.*consumer: 1 handler/)
    expect(await committed()).toBe(0)
    expect(await counted()).toEqual([])
    const next = service()
    await eventually(async () => expect(await counted()).toEqual([0]))
    next.kill('SIGTERM')
    await next.exited
  })

  test('twice ends at once with 143, however long it might have taken; the event comes again', async () => {
    await publish(1)
    const hanging = service({ HANDLER_MS: 'Infinity', DEADLINE_MS: '600000' })
    await hanging.said('handling 0')
    hanging.kill('SIGTERM')
    hanging.kill('SIGTERM')
    // Two signals of one kind at once may arrive as one.
    const again = setInterval(() => hanging.kill('SIGTERM'), 100)
    expect(await hanging.exited).toEqual({ code: 143, signal: null })
    clearInterval(again)
    expect(await committed()).toBe(0)
  })

  test('while it starts and no broker is there ends with 0', async () => {
    const waiting = service({ KAFKA_BROKERS: '127.0.0.1:1' })
    await waiting.said('starting')
    waiting.kill('SIGTERM')
    expect(await waiting.exited).toEqual({ code: 0, signal: null })
  })

  test('while partitions move between members ends with 0, and everything is handled once', async () => {
    await publish(60)
    const first = service({ HANDLER_MS: '50' })
    await first.said('handling')
    const second = service({ HANDLER_MS: '50' })
    await second.said('starting')
    // The second is joining: the first is told to end in the middle of that.
    first.kill('SIGTERM')
    expect(await first.exited).toEqual({ code: 0, signal: null })
    await eventually(async () => expect(await counted()).toEqual(upTo(60)))
    await eventually(async () => expect(await committed()).toBe(60))
    second.kill('SIGTERM')
    expect(await second.exited).toEqual({ code: 0, signal: null })
  })
})
