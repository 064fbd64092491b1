import { EventEmitter } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { type CloseOnSignalsOptions, type EndingProcess, OrderlyEnding } from './close-on-signals.ts'
import { CloseDeadlineError } from './errors.ts'
import { silentLogger } from './logger.ts'

class FakeProcess extends EventEmitter implements EndingProcess {
  readonly exits: number[] = []
  exit(code: number): never {
    this.exits.push(code)
    // What comes after the end of a real process is of no interest.
    return undefined as never
  }
}

function ending(parts: ConstructorParameters<typeof OrderlyEnding>[1], options: CloseOnSignalsOptions = {}) {
  const fake = new FakeProcess()
  const clock = createManualClock()
  const orderly = new OrderlyEnding(fake, parts, { logger: silentLogger, clock, deadlineMs: 1000, ...options })
  return { fake, clock, orderly }
}

describe('a process that is told to end', () => {
  test('closes its parts within the deadline and ends with 0', async () => {
    const close = vi.fn(async () => {})
    const { fake, orderly } = ending({ consumer: { close } })
    expect(orderly.signal.aborted).toBe(false)
    fake.emit('SIGTERM', 'SIGTERM')
    expect(orderly.signal.aborted).toBe(true)
    await vi.waitFor(() => expect(fake.exits).toEqual([0]))
    expect(close).toHaveBeenCalledExactlyOnceWith(1000)
  })

  test('ends with 1 when work was abandoned', async () => {
    const { fake } = ending({ consumer: { close: () => Promise.reject(new CloseDeadlineError('1 handler')) } })
    fake.emit('SIGINT', 'SIGINT')
    await vi.waitFor(() => expect(fake.exits[0]).toBe(1))
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('twice ends at once, by %s with %d', (signal, code) => {
    const { fake } = ending({ consumer: { close: () => new Promise(() => {}) } })
    fake.emit('SIGTERM', 'SIGTERM')
    expect(fake.exits).toEqual([])
    fake.emit(signal, signal)
    expect(fake.exits).toEqual([code])
  })

  test('ends by a bound of its own when its parts hang one after another', async () => {
    const hangs = { close: () => new Promise(() => {}) }
    const { fake, clock } = ending({ consumer: hangs, broker: hangs, sql: hangs })
    fake.emit('SIGTERM', 'SIGTERM')
    await clock.advance(5499)
    expect(fake.exits).toEqual([])
    await clock.advance(1)
    expect(fake.exits).toEqual([1])
  })

  test('by an error that nobody caught closes too, and ends with 1; a second error ends it at once', async () => {
    const close = vi.fn(async () => {})
    const { fake } = ending({ consumer: { close } })
    fake.emit('uncaughtException', new Error('forgotten'))
    await vi.waitFor(() => expect(fake.exits).toEqual([1]))
    expect(close).toHaveBeenCalledOnce()
    const hanging = ending({ consumer: { close: () => new Promise(() => {}) } })
    hanging.fake.emit('uncaughtException', new Error('first'))
    hanging.fake.emit('uncaughtException', new Error('second'))
    expect(hanging.fake.exits).toEqual([1])
  })

  test('by itself ends the same way', async () => {
    const { fake, orderly } = ending({})
    void orderly.end('nothing left to do')
    void orderly.end('again')
    await vi.waitFor(() => expect(fake.exits).toEqual([0]))
  })

  test('hears nothing any more once that was taken back', () => {
    const { fake, orderly } = ending({})
    orderly.dispose()
    expect(fake.eventNames()).toEqual([])
  })
})
