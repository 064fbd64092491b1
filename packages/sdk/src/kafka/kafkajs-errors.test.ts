import { describe, expect, test } from 'vitest'
import { ClosedError } from '../core/errors.ts'
import { classify, isMembershipLost } from './kafkajs-errors.ts'

const failure = (fields: object) => Object.assign(new Error('said by the client'), fields)

describe('what kafkajs throws becomes', () => {
  test.each([
    ['MESSAGE_TOO_LARGE', 'EVT_RECORD_TOO_LARGE', false],
    ['RECORD_LIST_TOO_LARGE', 'EVT_RECORD_TOO_LARGE', false],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'EVT_UNKNOWN_TOPIC', false],
    ['TOPIC_AUTHORIZATION_FAILED', 'EVT_BROKER_REFUSED', false],
    ['INVALID_TIMESTAMP', 'EVT_RECORD_REFUSED', false],
    ['INVALID_RECORD', 'EVT_RECORD_REFUSED', false],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'EVT_BROKER_UNAVAILABLE', true],
    ['NOT_ENOUGH_REPLICAS', 'EVT_BROKER_UNAVAILABLE', true],
    ['NOT_LEADER_FOR_PARTITION', 'EVT_BROKER_UNAVAILABLE', true],
  ])('for %s: %s', (type, code, retryable) => {
    expect(classify(failure({ name: 'KafkaJSProtocolError', type }), 't')).toMatchObject({ code, retryable })
  })

  test.each([
    ['KafkaJSConnectionError', 'ECONNREFUSED', 'EVT_BROKER_UNAVAILABLE'],
    ['KafkaJSRequestTimeoutError', undefined, 'EVT_BROKER_UNAVAILABLE'],
    ['KafkaJSSASLAuthenticationError', undefined, 'EVT_BROKER_REFUSED'],
    ['KafkaJSConnectionError', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'EVT_BROKER_REFUSED'],
    ['TypeError', undefined, 'EVT_BROKER_UNAVAILABLE'],
  ])('for %s with code %s: %s', (name, code, expected) => {
    expect(classify(failure({ name, code })).code).toBe(expected)
  })
})

test('the reason counts, however often it is wrapped', () => {
  const reason = failure({ name: 'KafkaJSProtocolError', type: 'MESSAGE_TOO_LARGE' })
  const wrapped = failure({
    name: 'KafkaJSNumberOfRetriesExceeded',
    cause: failure({ name: 'KafkaJSAggregateError', errors: [failure({ cause: reason })] }),
  })
  const error = classify(wrapped)
  expect(error.code).toBe('EVT_RECORD_TOO_LARGE')
  expect(error.cause).toBe(reason)
})

test('words decide nothing', () => {
  expect(classify(new Error('MESSAGE_TOO_LARGE: SASL authentication failed')).code).toBe('EVT_BROKER_UNAVAILABLE')
})

test('errors of this SDK, and things that are no errors, get through', () => {
  const own = new ClosedError('closed')
  expect(classify(own)).toBe(own)
  expect(classify(failure({ name: 'KafkaJSNonRetriableError', cause: own }))).toBe(own)
  expect(classify('a string').code).toBe('EVT_BROKER_UNAVAILABLE')
  expect(classify(undefined).code).toBe('EVT_BROKER_UNAVAILABLE')
})

test('a lost membership is known by its type', () => {
  expect(isMembershipLost(failure({ type: 'UNKNOWN_MEMBER_ID' }))).toBe(true)
  expect(isMembershipLost(failure({ cause: failure({ type: 'REBALANCE_IN_PROGRESS' }) }))).toBe(true)
  expect(isMembershipLost(failure({ name: 'KafkaJSConnectionClosedError' }))).toBe(false)
})
