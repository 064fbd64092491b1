import { expect, test } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { closeInOrder } from './close-in-order.ts'
import { CloseDeadlineError } from './errors.ts'

test('parts are closed one after another, each with what is left of the time', async () => {
  const clock = createManualClock()
  const told: (readonly [string, number])[] = []
  const part = (name: string, takesMs: number) => ({
    close: (deadlineMs: number) => {
      told.push([name, deadlineMs])
      return new Promise<void>((resolve) => clock.after(takesMs, resolve))
    },
  })
  const closed = closeInOrder(
    { consumer: part('consumer', 6000), relay: part('relay', 3900), neverMade: undefined, sql: part('sql', 0) },
    10_000,
    { clock },
  )
  await clock.advance(20_000)
  await closed
  expect(told).toEqual([
    ['consumer', 10_000],
    ['relay', 4000],
    ['sql', 500],
  ])
})

test('one that abandons work or fails keeps no other open; what is thrown names each', async () => {
  const closed: string[] = []
  const failing = closeInOrder({
    consumer: { close: () => Promise.reject(new CloseDeadlineError('1 handler still ran')) },
    relay: {
      close: () => {
        throw new Error('no such relay')
      },
    },
    sql: { close: () => void closed.push('sql') },
  })
  await expect(failing).rejects.toMatchObject({
    code: 'EVT_CLOSE_DEADLINE',
    message: 'consumer: 1 handler still ran; relay: no such relay',
  })
  expect(closed).toEqual(['sql'])
})

test('a failure alone is thrown as it is, several together', async () => {
  const failure = new Error('of its own')
  const fails = { close: () => Promise.reject(failure) }
  await expect(closeInOrder({ one: fails })).rejects.toBe(failure)
  await expect(closeInOrder({ one: fails, two: fails })).rejects.toMatchObject({
    errors: [failure, failure],
    message: 'could not close one: of its own; two: of its own',
  })
})

test('one that hangs is left, and the next is closed', async () => {
  const clock = createManualClock()
  const closed: string[] = []
  const hangs = closeInOrder(
    { broker: { close: () => new Promise(() => {}) }, sql: { close: () => void closed.push('sql') } },
    1000,
    { clock },
  )
  hangs.catch(() => {})
  await clock.advance(3999)
  expect(closed).toEqual([])
  await clock.advance(1)
  await expect(hangs).rejects.toMatchObject({
    code: 'EVT_CLOSE_DEADLINE',
    message: /broker: it did not close within 1000 ms/,
  })
  expect(closed).toEqual(['sql'])
})
