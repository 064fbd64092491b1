import { expect, test } from 'vitest'
import type { Envelope } from './envelope.ts'
import { envelopeHeaders, headerNames, headerText, maxHeaderTextBytes } from './headers.ts'
import type { Header } from './message.ts'

const envelope: Envelope = {
  eventId: '0190-1',
  eventType: 'OrderPlaced',
  eventVersion: 'v1',
  timestamp: '2026-01-01T00:00:00.000Z',
  source: 'order-service',
  correlationId: '0190-0',
  causationId: null,
  data: { orderId: 'o-1' },
  metadata: {},
}

const carrying = (...headers: Header[]) => ({ topic: 't', key: null, value: null, headers })
const texts = (headers: readonly Header[]) => Object.fromEntries(headers.map(([name, value]) => [name, `${value}`]))

test('headers repeat what routing needs', () => {
  expect(texts(envelopeHeaders({ ...envelope, causationId: '0190-2' }, 'application/json'))).toEqual({
    'content-type': 'application/json',
    'event-id': '0190-1',
    'event-type': 'OrderPlaced',
    'event-version': 'v1',
    'event-source': 'order-service',
    'correlation-id': '0190-0',
    'causation-id': '0190-2',
  })
})

test('the first of a chain has no causation header', () => {
  expect(texts(envelopeHeaders(envelope, 'application/json'))).not.toHaveProperty(headerNames.causationId)
})

test('the first of several values counts', () => {
  expect(headerText(carrying(['a', Buffer.from('1')], ['a', Buffer.from('2')]), 'a')).toBe('1')
})

test('a name that every object inherits is absent unless it was sent', () => {
  expect(headerText(carrying(), 'constructor')).toBeUndefined()
  expect(headerText(carrying(['constructor', Buffer.from('c')]), 'constructor')).toBe('c')
})

test.each([
  ['longer than is read as text', Buffer.alloc(maxHeaderTextBytes + 1, 'x')],
  ['with a line break', Buffer.from('a\r\nb')],
  ['with a NUL', Buffer.from('a\0b')],
  ['with an escape character', Buffer.from('\u001b[31mred')],
])('a value %s is treated as absent', (_what, value) => {
  expect(headerText(carrying(['a', value]), 'a')).toBeUndefined()
})
