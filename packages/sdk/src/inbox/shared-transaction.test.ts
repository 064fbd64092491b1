import { expect, test } from 'vitest'
import { reachesBeyond } from './postgres-shared-transaction.ts'

test.each([
  ['savepoint a', true],
  ['  -- a note\n rollback to savepoint a', true],
  ['/* why */ SET LOCAL work_mem = 1', true],
  ["select set_config('role', $1, true)", true],
  ['lock table stock', true],
])('%j concerns the whole transaction', (text, single) => {
  expect(reachesBeyond(text, single)).toBe(true)
})

test('one statement of several in a text is found as well', () => {
  expect(reachesBeyond('insert into a values (1); savepoint b', false)).toBe(true)
})

test.each([
  ['update stock set reserved = 1 where sku = $1', true],
  ["insert into notes values ('; savepoint')", true],
  ['with moved as (delete from a returning *) insert into b select * from moved', true],
  ['select settled, committed from payments', false],
])('%j is the business of its handler alone', (text, single) => {
  expect(reachesBeyond(text, single)).toBe(false)
})
