/** What plain kafkajs does when an answer to a send is lost, and what this driver does with the same fault. */
import { API_KEYS, type KafkaRequest, type ProxyLink } from '@evtkit/local-stack'
import { describe, expect, test } from 'vitest'
import { firstCopies, raw, record, withFaultyBroker } from '../../../../test/faulty-broker.ts'
import { SendFailedError } from '../core/errors.ts'

const broker = withFaultyBroker()

/** Each answer to a send is lost after the broker has written. */
const loseAnswers = (times = Number.POSITIVE_INFINITY) => broker().proxy.closeOnResponse(API_KEYS.Produce, { times })

/** A producer that gives up soon; kafkajs's own limits lead to the same, only later. */
const idempotent = { idempotent: true, retry: { initialRetryTime: 50, maxRetryTime: 100, retries: 2 } }

describe('records that follow a send that was given up', () => {
  test('plain kafkajs is told that they are written, and they are not in the log', async () => {
    const topic = await broker().topic()
    const producer = await broker().plainProducer(idempotent)
    const lost = loseAnswers()
    await expect(producer.send(record(topic, 'A1', 'A2'))).rejects.toThrow()
    lost.remove()
    await expect(producer.send(record(topic, 'B1', 'B2'))).resolves.toMatchObject([{ errorCode: 0 }])
    await producer.send(record(topic, 'C1', 'C2'))
    expect(lost.fired).toBeGreaterThan(0)
    expect(await broker().log(topic)).toEqual(['A1', 'A2', 'C1', 'C2'])
  })

  test('this driver has them written', async () => {
    const topic = await broker().topic()
    const kafka = broker().ours({ deliveryTimeoutMs: 1500 })
    const lost = loseAnswers()
    await expect(kafka.send(raw(topic, 'A1', 'A2'))).rejects.toThrow(SendFailedError)
    lost.remove()
    await kafka.send(raw(topic, 'B1', 'B2'))
    await kafka.send(raw(topic, 'C1', 'C2'))
    expect(lost.fired).toBeGreaterThan(0)
    expect(firstCopies(await broker().log(topic))).toEqual(['A1', 'A2', 'B1', 'B2', 'C1', 'C2'])
  })
})

describe('ten sends at once, one answer of which is lost', () => {
  const letters = [...'ABCDEFGHIJ']

  test('plain kafkajs is told that all are written, and one is not in the log', async () => {
    const topic = await broker().topic()
    const producer = await broker().plainProducer({ idempotent: true })
    await producer.send(record(topic, 'warm'))
    const lost = loseAnswers(1)
    const told = await Promise.allSettled(letters.map((letter) => producer.send(record(topic, letter))))
    expect(told.map(({ status }) => status)).toEqual(letters.map(() => 'fulfilled'))
    expect(lost.fired).toBe(1)
    const log = new Set(await broker().log(topic))
    expect(letters.filter((letter) => !log.has(letter))).not.toEqual([])
  })

  test('this driver has all written, in order', async () => {
    const topic = await broker().topic()
    const kafka = broker().ours()
    await kafka.send(raw(topic, 'warm'))
    const lost = loseAnswers(1)
    await Promise.all(letters.map((letter) => kafka.send(raw(topic, letter))))
    expect(lost.fired).toBe(1)
    expect(firstCopies(await broker().log(topic))).toEqual(['warm', ...letters])
  })
})

describe('a longer send after one that was given up', () => {
  test('plain kafkajs is refused it, and everything after it', async () => {
    const topic = await broker().topic()
    const producer = await broker().plainProducer(idempotent)
    const lost = loseAnswers()
    await expect(producer.send(record(topic, 'A1', 'A2'))).rejects.toThrow()
    lost.remove()
    for (const values of [['B1', 'B2', 'B3'], ['C1'], ['D1']])
      await expect(producer.send(record(topic, ...values))).rejects.toThrow(/sequence/i)
    expect(lost.fired).toBeGreaterThan(0)
    expect(await broker().log(topic)).toEqual(['A1', 'A2'])
  })

  test('this driver has it written, and everything after it', async () => {
    const topic = await broker().topic()
    const kafka = broker().ours({ deliveryTimeoutMs: 1500 })
    const lost = loseAnswers()
    await expect(kafka.send(raw(topic, 'A1', 'A2'))).rejects.toThrow(SendFailedError)
    lost.remove()
    await kafka.send(raw(topic, 'B1', 'B2', 'B3'))
    await kafka.send(raw(topic, 'C1'))
    await kafka.send(raw(topic, 'D1'))
    expect(lost.fired).toBeGreaterThan(0)
    expect(firstCopies(await broker().log(topic))).toEqual(['A1', 'A2', 'B1', 'B2', 'B3', 'C1', 'D1'])
  })
})

describe('a request that the network holds back until its sender has gone on', () => {
  /** The first request to write is on its way for longer than its sender waits; `arrived` tells that it no longer is. */
  function holdBack() {
    let held: ProxyLink | undefined
    const match = (_request: KafkaRequest, link: ProxyLink) => {
      held = link
      return true
    }
    const fault = broker().proxy.delayRequest(API_KEYS.Produce, 6000, { match })
    const isOnItsWay = () => held !== undefined && broker().proxy.links.includes(held)
    return { fault, arrived: () => expect.poll(isOnItsWay, { timeout: 20_000, interval: 100 }).toBe(false) }
  }

  test('plain kafkajs has the old record written behind newer ones', async () => {
    const topic = await broker().topic()
    const first = await broker().plainProducer({ ...idempotent, retry: { retries: 1 } })
    const { fault, arrived } = holdBack()
    await expect(first.send(record(topic, 'A'))).rejects.toThrow()
    await first.disconnect()
    // An instance of its own, as is the cure for the rows above.
    const next = await broker().plainProducer(idempotent)
    await next.send(record(topic, 'A'))
    await next.send(record(topic, 'B'))
    expect(fault.fired).toBe(1)
    await arrived()
    await next.send(record(topic, 'C'))
    expect(await broker().log(topic)).toEqual(['A', 'B', 'A', 'C'])
  })

  test('this driver has the broker refuse the old request', async () => {
    const topic = await broker().topic()
    const kafka = broker().ours({ requestTimeoutMs: 300 })
    const { fault, arrived } = holdBack()
    await kafka.send(raw(topic, 'A'))
    await kafka.send(raw(topic, 'B'))
    expect(fault.fired).toBe(1)
    await arrived()
    await kafka.send(raw(topic, 'C'))
    expect(await broker().log(topic)).toEqual(['A', 'B', 'C'])
  })
})
