import { afterEach, beforeEach, expect, test } from 'vitest'
import { RecordTooLargeError, SendFailedError } from '../core/errors.ts'
import { defineTopic } from '../core/topic.ts'
import { createMemoryBroker, type MemoryBroker } from '../memory/memory-broker.ts'
import { createGate } from './conformance/gate.ts'
import { type FaultyTransport, withFaults } from './faulty-transport.ts'

let broker: MemoryBroker
let faulty: FaultyTransport
beforeEach(async () => {
  broker = createMemoryBroker()
  await broker.createTopics([defineTopic({ name: 't' })])
  faulty = withFaults(broker)
})
afterEach(() => faulty.close())

const send = (value: string) => faulty.send([{ topic: 't', key: null, value: Buffer.from(value), headers: [] }])
const log = () => broker.records('t').map(({ message: { value } }) => String(value))

test('a failed send wrote nothing, and the next one works', async () => {
  faulty.failNextSend()
  await expect(send('a')).rejects.toMatchObject({ retryable: true })
  faulty.failNextSend(new RecordTooLargeError('large'))
  await expect(send('b')).rejects.toMatchObject({ retryable: false })
  await send('c')
  expect(log()).toEqual(['c'])
})

test('a dropped send claims success', async () => {
  faulty.dropNextSend()
  await send('a')
  expect(log()).toEqual([])
})

test('a lost response hides that everything was written', async () => {
  faulty.loseNextResponse()
  await expect(send('a')).rejects.toThrow(SendFailedError)
  expect(log()).toEqual(['a'])
})

test('a delayed send is overtaken', async () => {
  const gate = createGate()
  faulty.delayNextSend(gate.passed)
  const late = send('late')
  await send('early')
  gate.open()
  await late
  expect(log()).toEqual(['early', 'late'])
})
