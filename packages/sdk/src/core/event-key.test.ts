import { expect, test } from 'vitest'
import { eventKey } from './event-key.ts'

test('a uuid is its own key', () => {
  expect(eventKey('0192f3b0-7e6c-7c3a-9d2e-2f6b1c4e8a10')).toBe('0192f3b0-7e6c-7c3a-9d2e-2f6b1c4e8a10')
})

test('any other id becomes one uuid, the same each time and another for another id', () => {
  for (const id of ['', 'order-1', 'x'.repeat(1_000_000), 'with \0 nul', '0192f3b0-7e6c-7c3a-9d2e-2f6b1c4e8a1', '☃']) {
    expect(eventKey(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(eventKey(id)).toBe(eventKey(id))
    expect(eventKey(id)).not.toBe(eventKey(`${id}.`))
  }
})
