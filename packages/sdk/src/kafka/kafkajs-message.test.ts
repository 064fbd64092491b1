import { expect, test } from 'vitest'
import type { Header } from '../core/message.ts'
import { KafkajsDelivery } from './kafkajs-delivery.ts'
import { fromKafkajsHeaders, toKafkajsHeaders, toKafkajsMessage } from './kafkajs-message.ts'

const bytes = (text: string) => Buffer.from(text)
const readable = (headers: readonly Header[]) => headers.map(([name, value]) => `${name}=${value}`)

test('headers of any name survive the way to kafkajs and back', () => {
  const headers: Header[] = [
    ['a', bytes('1')],
    ['constructor', bytes('c')],
    ['__proto__', bytes('p')],
    ['__proto__', bytes('q')],
    ['toString', bytes('t')],
    ['a', bytes('2')],
  ]
  const object = toKafkajsHeaders(headers)
  expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
  expect(readable(fromKafkajsHeaders(object))).toEqual([
    'a=1',
    'a=2',
    'constructor=c',
    '__proto__=p',
    '__proto__=q',
    'toString=t',
  ])
})

test('what kafkajs inherits into headers is left out', () => {
  // kafkajs looks up what it has gathered so far in an object that inherits, and appends to what it finds.
  const gathered = {
    constructor: [Object, bytes('c')],
    toString: [Object.prototype.toString, bytes('t')],
    ['__proto__']: [Object.prototype, bytes('p')],
    plain: bytes('v'),
  }
  // Its types do not tell of the functions and prototypes.
  const headers = fromKafkajsHeaders(gathered as unknown as Parameters<typeof fromKafkajsHeaders>[0])
  expect(readable(headers)).toEqual(['constructor=c', 'toString=t', '__proto__=p', 'plain=v'])
  for (const [, value] of headers) expect(Buffer.isBuffer(value)).toBe(true)
})

test('a message keeps its partition, and its time when it has one', () => {
  const message = { topic: 't', key: null, value: bytes('v'), headers: [] }
  expect(toKafkajsMessage(message, 3)).toEqual({ key: null, value: bytes('v'), partition: 3, headers: {} })
  expect(toKafkajsMessage({ ...message, timestamp: 5 }, 0).timestamp).toBe('5')
})

test('a delivery says where the record is, and whose it is', () => {
  const delivery = new KafkajsDelivery(
    {
      key: bytes('k'),
      value: null,
      timestamp: '17',
      attributes: 0,
      offset: '9007199254740993',
      headers: { h: bytes('1') },
    },
    't',
    2,
    'g',
  )
  expect(delivery.offset).toBe(9007199254740993n)
  expect({ ...delivery }).toEqual({ partition: 2, group: 'g', attempt: 1, replay: null })
  expect({ ...delivery.message }).toEqual({
    topic: 't',
    key: bytes('k'),
    value: null,
    timestamp: 17,
    headers: [['h', bytes('1')]],
  })
  expect(delivery.message).toBe(delivery.message)
})
