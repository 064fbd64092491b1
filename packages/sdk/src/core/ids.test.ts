import { expect, test } from 'vitest'
import { newUuid } from './ids.ts'

test('ids are UUIDs of version 7, different, and sorted by when they were made', () => {
  const ids = Array.from({ length: 5000 }, newUuid)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(ids.length)
  expect([...ids].sort()).toEqual(ids)
})

test('the end of an id is random, also beyond the numbers fetched at once', () => {
  const ends = new Set(Array.from({ length: 3000 }, () => newUuid().slice(-8)))
  expect(ends.size).toBeGreaterThan(2990)
  expect(ends).not.toContain('00000000')
})
