import { expect, test } from 'vitest'
import { nestingOf } from './json-body.ts'

test.each([
  ['1', 0],
  ['{"a":1}', 1],
  ['{"a":[{"b":[]}]}', 4],
  ['[[],[],[]]', 2],
  ['{"a":"[[[[{{{{"}', 1],
  ['{"a":"\\"[[["}', 1],
])('%s is %i levels deep', (json, depth) => {
  expect(nestingOf(json)).toBe(depth)
})
