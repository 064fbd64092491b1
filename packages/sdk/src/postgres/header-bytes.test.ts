import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Header } from '../core/message.ts'
import { decodeHeaders, encodeHeaders } from './header-bytes.ts'

test('headers come back as they were: names, bytes, order and repetitions', () => {
  const headers: Header[] = [
    ['content-type', Buffer.from('application/json')],
    ['empty', Buffer.alloc(0)],
    ['', Buffer.from('nameless')],
    ['content-type', Buffer.from([0, 255, 254])],
    ['__proto__', Buffer.from('x')],
    ['naïve ☃\0', Buffer.from('y')],
  ]
  expect(decodeHeaders(encodeHeaders(headers))).toEqual(headers)
  expect(decodeHeaders(encodeHeaders([]))).toEqual([])
})

test('that holds for any headers, and the same headers always give the same bytes', () => {
  const header = fc.tuple(
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(fc.array(header), (headers) => {
      expect(decodeHeaders(encodeHeaders(headers))).toEqual(headers)
      expect(encodeHeaders(headers)).toEqual(encodeHeaders(headers))
    }),
  )
})
