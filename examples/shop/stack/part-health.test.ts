import { expect, test } from 'vitest'
import { unreadiness } from './part-health.ts'

const answer = (pieces: object[]) => JSON.stringify({ ready: false, notReady: [], pieces })

test('the pieces that are waited for are named with their reasons', () => {
  const pieces = [
    { piece: 'database', ready: true, detail: '' },
    { piece: 'broker', ready: false, detail: 'connection refused' },
    { piece: 'relay', ready: false, detail: '' },
  ]
  expect(unreadiness(503, answer(pieces))).toBe('broker: connection refused; relay')
})

test('a part that waits for nothing is starting', () => {
  expect(unreadiness(503, answer([]))).toBe('starting')
})

test('an answer of someone else is told as such', () => {
  expect(unreadiness(404, '<html>')).toBe('it answered 404, which is no answer of a part of the shop')
  expect(unreadiness(200, '{"pieces":"none"}')).toMatch('it answered 200')
})
