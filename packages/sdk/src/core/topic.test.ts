import { expect, test } from 'vitest'
import { InvalidDefinitionError } from './errors.ts'
import { defineTopic } from './topic.ts'

test('a topic has one partition and a week unless told otherwise', () => {
  expect(defineTopic({ name: 'order-events' })).toEqual({
    name: 'order-events',
    partitions: 1,
    retentionMs: 604_800_000,
  })
})

test.each(['', '.', '..', 'with space', 'ünlaut', 'a'.repeat(250), 'a/b'])('refuses the name %j', (name) => {
  expect(() => defineTopic({ name })).toThrow(InvalidDefinitionError)
})

test.each([
  { partitions: 0 },
  { partitions: 1.5 },
  { partitions: Number.NaN },
  { retentionMs: -2 },
  { retentionMs: 0.5 },
])('refuses %j', (options) => {
  expect(() => defineTopic({ name: 't', ...options })).toThrow(InvalidDefinitionError)
})

test('a definition cannot be changed afterwards', () => {
  expect(Object.isFrozen(defineTopic({ name: 't' }))).toBe(true)
})
