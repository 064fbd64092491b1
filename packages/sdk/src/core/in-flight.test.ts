import { expect, test } from 'vitest'
import { InFlight, inFlightLimits } from './in-flight.ts'

test('there is room for what the limit leaves', () => {
  const inFlight = new InFlight({ maxBytes: 100, maxRecords: 10 })
  expect(inFlight.roomBytes).toBe(100)
  inFlight.take({ bytes: 60, records: 3 })
  expect(inFlight.roomBytes).toBe(40)
  inFlight.release({ bytes: 60, records: 3 })
  expect(inFlight.roomBytes).toBe(100)
})

test('more than the limit leaves no room, and no less than none', () => {
  const inFlight = new InFlight({ maxBytes: 100, maxRecords: 10 })
  inFlight.take({ bytes: 160, records: 1 })
  expect(inFlight.roomBytes).toBe(0)
})

test('as many records as allowed leave no room, however small they are', () => {
  const inFlight = new InFlight({ maxBytes: 100, maxRecords: 2 })
  inFlight.take({ bytes: 2, records: 2 })
  expect(inFlight.roomBytes).toBe(0)
})

test('who waits is called back once, at the next release', () => {
  const inFlight = new InFlight({ maxBytes: 100, maxRecords: 10 })
  let calls = 0
  inFlight.take({ bytes: 100, records: 1 })
  inFlight.take({ bytes: 10, records: 1 })
  inFlight.onRelease(() => calls++)
  expect(calls).toBe(0)
  inFlight.release({ bytes: 10, records: 1 })
  inFlight.release({ bytes: 100, records: 1 })
  expect(calls).toBe(1)
})

test('limits that cannot be are refused by name', () => {
  expect(() => inFlightLimits({ maxInFlightBytes: 0 })).toThrow(
    /maxInFlightBytes must be a whole number from 1 up, got 0/,
  )
  expect(() => inFlightLimits({ maxInFlightRecords: 1.5 })).toThrow(/maxInFlightRecords must be .* got 1.5/)
  expect(inFlightLimits({})).toEqual({ maxBytes: 67_108_864, maxRecords: 100_000 })
})
