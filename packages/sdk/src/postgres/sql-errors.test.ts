import { describe, expect, test } from 'vitest'
import { isRetryable } from '../core/errors.ts'
import { connectError, isConflict, sqlState, statementError } from './sql-errors.ts'

const cut = { error: new Error('the connection was closed') }
const sqlError = (code: string) => Object.assign(new Error('whatever it says'), { code })

describe('the errors of the database', () => {
  test.each(['57P01', '57P02', '57P03', '57P05', '25006', '08006', '53300', '53100', '58030'])(
    'SQLSTATE %s means that the database is not available',
    (state) => {
      const error = sqlError(state)
      expect(statementError(error, undefined, 'PostgreSQL')).toMatchObject({
        code: 'EVT_DATABASE_UNAVAILABLE',
        retryable: true,
        cause: error,
      })
    },
  )

  test.each(['23505', '42601', '22P02', '40P01', '57014'])('SQLSTATE %s passes as it is', (state) => {
    const error = sqlError(state)
    expect(statementError(error, undefined, 'PostgreSQL')).toBe(error)
    expect(statementError(error, cut, 'PostgreSQL')).toBe(error)
  })

  test('a transaction that was idle too long is no outage, whether a statement or the connection has the news', () => {
    const news = sqlError('25P03')
    const told = { code: '25P03', cause: news, message: expect.stringContaining('longer than idleInTransactionMs') }
    expect(statementError(news, undefined, 'PostgreSQL')).toMatchObject(told)
    expect(statementError(new Error('not queryable'), { error: news }, 'PostgreSQL')).toMatchObject(told)
  })

  test('an error without SQLSTATE is an outage only when the connection is gone', () => {
    const error = new TypeError('cannot turn this value into a parameter')
    expect(statementError(error, undefined, 'PostgreSQL')).toBe(error)
    expect(statementError(error, cut, 'PostgreSQL')).toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
  })

  test('a broken pipe is an outage, though its code has the shape of a SQLSTATE', () => {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' })
    expect(sqlState(error)).toBeUndefined()
    expect(statementError(error, undefined, 'PostgreSQL')).toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
    expect(connectError(error, 'PostgreSQL')).toMatchObject({ code: 'EVT_DATABASE_UNAVAILABLE' })
  })

  test('failing to connect is an outage, and says where and why, even when several addresses failed', () => {
    const refused = Object.assign(new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]), {
      code: 'ECONNREFUSED',
    })
    expect(connectError(refused, 'PostgreSQL at db:5432/orders')).toMatchObject({
      code: 'EVT_DATABASE_UNAVAILABLE',
      message: 'cannot connect to PostgreSQL at db:5432/orders: ::1 refused; 127.0.0.1 refused',
    })
  })

  test.each(['28P01', '3D000'])('SQLSTATE %s while connecting is a wrong setting, not an outage', (state) => {
    const error = sqlError(state)
    expect(connectError(error, 'PostgreSQL')).toBe(error)
  })

  test('clashes are told by their codes and may be tried again', () => {
    for (const state of ['40001', '40P01', '55P03']) {
      expect(isConflict(sqlError(state))).toBe(true)
      expect(isRetryable(sqlError(state))).toBe(true)
    }
    expect(isConflict(sqlError('23505'))).toBe(false)
    expect(isConflict(new Error('deadlock detected'))).toBe(false)
  })

  test('codes of Node and of this SDK are no SQLSTATEs', () => {
    expect(sqlState(sqlError('ECONNRESET'))).toBeUndefined()
    expect(sqlState(sqlError('EVT_CLOSED'))).toBeUndefined()
    expect(sqlState(sqlError('EPIPE'))).toBe('EPIPE')
    expect(sqlState('57P01')).toBeUndefined()
  })
})
