import { expect, test } from 'vitest'
import { readEvent } from './read-event.ts'

const eventId = '01a20f2d-3941-70bc-9a4a-15974aa19abb'

test('an event in JSON is read whole', () => {
  const value = JSON.stringify({ eventId, eventType: 'OrderCreated', data: { orderId: 'o-1' } })
  expect(readEvent(value)).toEqual({ eventId, eventType: 'OrderCreated', fact: JSON.parse(value) })
})

test('of an event in Avro, with bytes that are no text, its id and type are read', () => {
  const value = `\u0000\u0000\u0000\u0000\u0007H${eventId}\u0018OrderCreated\u0004v1\uFFFD\uFFFD`
  expect(readEvent(value)).toEqual({ eventId, eventType: 'OrderCreated', fact: undefined })
})

test.each([null, '', 'text', '{', '{"eventId":1,"eventType":"X","data":{}}', '[]', '{"eventId":"a","eventType":"X"}'])(
  '%j is no event',
  (value) => {
    expect(readEvent(value)).toBeUndefined()
  },
)
