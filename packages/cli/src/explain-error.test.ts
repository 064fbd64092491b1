import { BrokerUnavailableError, errorCodes } from '@evtkit/sdk'
import { expect, test } from 'vitest'
import { usageError } from './command-error.ts'
import { explainError } from './explain-error.ts'

test('an error of the SDK comes with its code, its reason and the next command', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  expect(explainError(new BrokerUnavailableError('the broker is not available', { cause }))).toEqual({
    what: 'the broker is not available',
    why: ['connect ECONNREFUSED 127.0.0.1:1'],
    next: expect.stringContaining('evt doctor'),
    code: 'EVT_BROKER_UNAVAILABLE',
    exitCode: 1,
  })
})

test.each(errorCodes)('%s has something to do next', (code) => {
  expect(explainError(Object.assign(new Error('x'), { code })).next).toMatch(/\S{3}/)
})

test('an error of the system deep below says what to do', () => {
  const root = Object.assign(new Error('getaddrinfo ENOTFOUND nowhere'), { code: 'ENOTFOUND' })
  const { why, next } = explainError(new Error('fetch failed', { cause: new AggregateError([root]) }))
  expect(why).toEqual(['getaddrinfo ENOTFOUND nowhere'])
  expect(next).toContain('no such host')
})

test('a package that is not installed is named with the command that installs it', () => {
  const error = Object.assign(new Error("Cannot find package '@scope/thing' imported from /a/b.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
  expect(explainError(error)).toMatchObject({
    what: expect.stringContaining('@scope/thing'),
    next: 'npm install @scope/thing',
  })
})

test('wrong usage ends with 2, and a reason is not said twice', () => {
  expect(explainError(usageError('no such thing', 'evt --help'))).toMatchObject({ exitCode: 2, next: 'evt --help' })
  expect(explainError(new Error('a: b', { cause: new Error('b') })).why).toEqual([])
})

test('causes that go round end', () => {
  const error = new Error('round')
  error.cause = error
  expect(explainError(error).what).toBe('round')
})

test.each([
  'cannot reach https://app:hunter2@registry:8081/subjects',
  'broker "app:hunter2@kafka:9092" is not known',
  'brokers a:9092,app:hunter2@[::1]:9092',
  'app:hunter2@kafka:9092,other:9092 does not answer',
  'postgres://db/shop?user=u&password=hunter2',
])('the password in "%s" is not told', (message) => {
  const explained = explainError(new Error(message, { cause: new Error(`below: ${message}`) }))
  expect(JSON.stringify(explained)).not.toContain('hunter2')
  expect(explained.what).toContain('***')
})

test('what only looks like a user and a password stays as it is', () => {
  const message =
    'the broker at 127.0.0.1:9092 said: 12:30 is no time; ask ops@example.com, see https://example.com/a@b'
  expect(explainError(new Error(message)).what).toBe(message)
})
