import { expect, test } from 'vitest'
import { BrokerUnavailableError, InvalidConfigurationError } from './errors.ts'
import { unlessMisused } from './start-check.ts'
import type { Subscription } from './transport.ts'

function stage() {
  const closed: number[] = []
  const subscription: Subscription = {
    seek: async () => {},
    close: async (deadlineMs) => void closed.push(deadlineMs),
  }
  return { closed, subscription, starting: new AbortController() }
}
const never = new Promise<never>(() => {})

test('what could never work gives up the subscription that is already there', async () => {
  const { closed, subscription, starting } = stage()
  const misuse = new InvalidConfigurationError('never')
  await expect(unlessMisused(Promise.resolve(subscription), Promise.reject(misuse), starting)).rejects.toBe(misuse)
  expect(starting.signal.reason).toBe(misuse)
  expect(closed).toHaveLength(1)
})

test('a subscription that waits for its broker is given up as well', async () => {
  const { starting } = stage()
  const subscribing = new Promise<Subscription>((_, reject) => {
    starting.signal.addEventListener('abort', () => reject(new Error('given up')))
  })
  const check = Promise.reject(new InvalidConfigurationError('never'))
  await expect(unlessMisused(subscribing, check, starting)).rejects.toThrow('never')
})

test('what may pass does not stop the start', async () => {
  const { subscription, starting } = stage()
  const check = Promise.reject(new BrokerUnavailableError('away'))
  expect(await unlessMisused(Promise.resolve(subscription), check, starting)).toBe(subscription)
})

test('nobody waits for the check of a consumer that is closed while it starts', async () => {
  const { starting } = stage()
  const subscribing = Promise.reject(new Error('given up'))
  starting.abort()
  await expect(unlessMisused(subscribing, never, starting)).rejects.toThrow('given up')
})
