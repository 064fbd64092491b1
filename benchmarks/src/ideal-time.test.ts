import { describe, expect, test } from 'vitest'
import { idealMs } from './ideal-time.ts'

describe('idealMs', () => {
  test('one key takes as long as all its work', () => expect(idealMs([1, 2, 3], 1, 16)).toBe(6))
  test('many keys share the places', () => expect(idealMs([2, 2, 2, 2], 4, 2)).toBe(4))
  test('fewer keys than places leave places empty', () => expect(idealMs([2, 2, 2, 2], 2, 16)).toBe(4))
  test('the busiest key decides when it has more than its share', () => expect(idealMs([9, 1, 1, 1], 4, 4)).toBe(9))
  test('there may be more keys than pieces of work', () => expect(idealMs([3, 1], 1000, 1)).toBe(4))
})
