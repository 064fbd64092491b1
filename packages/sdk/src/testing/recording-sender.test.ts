import { expect, test } from 'vitest'
import { BrokerUnavailableError, SendFailedError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import { createRecordingSender } from './recording-sender.ts'

const message = (value: string): RawMessage => ({ topic: 't', key: null, value: Buffer.from(value), headers: [] })
const down = new BrokerUnavailableError('down')

test('keeps what it was given, send by send', async () => {
  const sender = createRecordingSender()
  await sender.send([message('a'), message('b')])
  await sender.send([message('c')])
  expect(sender.sends.map((send) => send.length)).toEqual([2, 1])
  expect(sender.messages.map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
})

test('fails the next send alone, for all of it or for some', async () => {
  const sender = createRecordingSender()
  sender.failNext(down)
  await expect(sender.send([message('a')])).rejects.toThrow(SendFailedError)
  sender.failNext(down, [1])
  const error: unknown = await sender.send([message('b'), message('c')]).catch((thrown: unknown) => thrown)
  expect(error instanceof SendFailedError && [...error.failures.keys()]).toEqual([1])
  await sender.send([message('d')])
  expect(sender.messages.map(({ value }) => String(value))).toEqual(['b', 'd'])
})
