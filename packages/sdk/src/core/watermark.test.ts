import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Watermark } from './watermark.ts'

test('the prefix is what is finished without a gap, whatever the order of finishing', () => {
  fc.assert(
    fc.property(
      fc.nat(60).chain((count) => {
        const indexes = Array.from({ length: count }, (_, i) => i)
        return fc.tuple(fc.constant(count), fc.shuffledSubarray(indexes))
      }),
      ([count, order]) => {
        const watermark = new Watermark(count)
        const finished = new Set<number>()
        let before = 0
        for (const index of order) {
          watermark.finish(index)
          finished.add(index)
          let expected = 0
          while (finished.has(expected)) expected++
          expect(watermark.prefix).toBe(expected)
          expect(watermark.prefix).toBeGreaterThanOrEqual(before)
          before = watermark.prefix
        }
        for (let i = 0; i < count; i++) expect(watermark.isFinished(i)).toBe(finished.has(i))
      },
    ),
  )
})

test('finishing twice changes nothing', () => {
  const watermark = new Watermark(3)
  watermark.finish(0)
  watermark.finish(0)
  expect(watermark.prefix).toBe(1)
})

test('nothing to finish is a prefix of nothing', () => {
  expect(new Watermark(0).prefix).toBe(0)
})
