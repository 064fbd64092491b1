import { expect, test } from 'vitest'
import { createGate } from '../testing/conformance/gate.ts'
import { Accumulator } from './accumulator.ts'
import { BrokerUnavailableError, ClosedError, type EvtError, RecordTooLargeError, SendFailedError } from './errors.ts'
import type { RawMessage } from './message.ts'

const message = (value: string): RawMessage => ({ topic: 't', key: null, value: Buffer.from(value), headers: [] })
const none: ReadonlyMap<number, EvtError> = new Map()

/** Keeps the batches it is given, as texts. */
function recorder(answer: (batch: readonly RawMessage[]) => Promise<ReadonlyMap<number, EvtError>> = async () => none) {
  const batches: string[][] = []
  const flush = (batch: readonly RawMessage[]) => {
    batches.push(batch.map(({ value }) => String(value)))
    return answer(batch)
  }
  return { batches, flush }
}

test('calls of one tick leave in one batch, in order', async () => {
  const { batches, flush } = recorder()
  const accumulator = new Accumulator({ flush })
  await Promise.all([accumulator.send([message('a'), message('b')]), accumulator.send([message('c')])])
  expect(batches).toEqual([['a', 'b', 'c']])
})

test('one batch is in flight; what comes meanwhile is the next', async () => {
  const gate = createGate()
  let inFlight = 0
  let most = 0
  const { batches, flush } = recorder(async () => {
    inFlight++
    most = Math.max(most, inFlight)
    await gate.passed
    inFlight--
    return none
  })
  const accumulator = new Accumulator({ flush })
  const first = accumulator.send([message('a')])
  await expect.poll(() => batches.length).toBe(1)
  const later = ['b', 'c', 'd'].map((text) => accumulator.send([message(text)]))
  gate.open()
  await Promise.all([first, ...later])
  expect(batches).toEqual([['a'], ['b', 'c', 'd']])
  expect(most).toBe(1)
})

test('batches are limited in records and bytes, and a call is never split', async () => {
  const { batches, flush } = recorder()
  const byRecords = new Accumulator({ flush, maxBatchRecords: 2 })
  await Promise.all([
    byRecords.send([message('a'), message('b'), message('c')]),
    byRecords.send([message('d')]),
    byRecords.send([message('e')]),
    byRecords.send([message('f')]),
  ])
  expect(batches).toEqual([['a', 'b', 'c'], ['d', 'e'], ['f']])
  batches.length = 0
  const byBytes = new Accumulator({ flush, maxBatchBytes: 4 })
  await Promise.all(['aaa', 'bb', 'cc', 'ddddd'].map((text) => byBytes.send([message(text)])))
  expect(batches).toEqual([['aaa'], ['bb', 'cc'], ['ddddd']])
})

test('each call hears of its own failures, by its own index', async () => {
  const error = new RecordTooLargeError('large')
  const { flush } = recorder(async () => new Map([[2, error]]))
  const accumulator = new Accumulator({ flush })
  const results = await Promise.allSettled([
    accumulator.send([message('a')]),
    accumulator.send([message('b'), message('c')]),
    accumulator.send([message('d')]),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const [, failed] = results
  const reason: unknown = failed.status === 'rejected' ? failed.reason : undefined
  expect(reason).toBeInstanceOf(SendFailedError)
  expect(reason).toMatchObject({ retryable: false, message: expect.stringContaining('1 of 2') })
  expect(reason instanceof SendFailedError && [...reason.failures]).toMatchObject([[1, { error }]])
})

test('a failed batch does not hold up the next', async () => {
  let attempts = 0
  const { flush } = recorder(async () => {
    attempts++
    return attempts === 1 ? new Map([[0, new BrokerUnavailableError('down')]]) : none
  })
  const accumulator = new Accumulator({ flush })
  await expect(accumulator.send([message('a')])).rejects.toThrow(SendFailedError)
  await accumulator.send([message('b')])
  expect(attempts).toBe(2)
})

test.each([
  ['rejects', async () => Promise.reject(new TypeError('broken'))],
  [
    'throws',
    () => {
      throw new TypeError('broken')
    },
  ],
])('a flush that %s fails its own calls, and the next go on', async (_how, fail) => {
  const answers = [fail]
  const { batches, flush } = recorder(() => answers.shift()?.() ?? Promise.resolve(none))
  const accumulator = new Accumulator({ flush, maxBatchRecords: 2 })
  const calls = [['a', 'b'], ['c']].map((texts) => accumulator.send(texts.map(message)))
  const results = await Promise.allSettled(calls)
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  const [failed] = results
  const reason: unknown = failed?.status === 'rejected' ? failed.reason : undefined
  expect(reason).toMatchObject({ code: 'EVT_SEND_FAILED', retryable: true, message: expect.stringContaining('broken') })
  expect(reason instanceof SendFailedError && [...reason.failures.keys()]).toEqual([0, 1])
  expect(batches).toEqual([['a', 'b'], ['c']])
  await accumulator.close()
})

test('nothing to send needs no batch', async () => {
  const { batches, flush } = recorder()
  await new Accumulator({ flush }).send([])
  expect(batches).toEqual([])
})

test('close answers what was sent and refuses the rest', async () => {
  const gate = createGate()
  const { batches, flush } = recorder(async () => {
    await gate.passed
    return none
  })
  const accumulator = new Accumulator({ flush, maxBatchRecords: 1 })
  const sent = [accumulator.send([message('a')]), accumulator.send([message('b')])]
  const closed = accumulator.close()
  await expect(accumulator.send([message('c')])).rejects.toThrow(ClosedError)
  gate.open()
  await Promise.all([...sent, closed])
  expect(batches).toEqual([['a'], ['b']])
  await new Accumulator({ flush }).close()
})
