import { describe, expect, test } from 'vitest'
import { type FailpointEffects, FailpointError, Failpoints, failpoint, failpointNames } from './failpoint.ts'

class Recorded implements FailpointEffects {
  crashes = 0
  readonly warnings: string[] = []
  crash() {
    this.crashes++
  }
  warn(message: string) {
    this.warnings.push(message)
  }
}

/** What became of a passing: its error, `hangs`, or nothing. */
async function outcome(passing: () => void | Promise<void>): Promise<unknown> {
  const hangs = Symbol('hangs')
  try {
    const result = await Promise.race([passing(), new Promise((resolve) => setImmediate(resolve, hangs))])
    return result === hangs ? 'hangs' : undefined
  } catch (error) {
    return error
  }
}

describe('failpoints', () => {
  test('do nothing at all without the variable', () => {
    for (const name of failpointNames) expect(failpoint(name)).toBeUndefined()
  })

  test('set to error throw at every passing of their step, and at no other', () => {
    const points = new Failpoints('relay.sent=error', new Recorded())
    expect(() => points.pass('relay.sent')).toThrow(FailpointError)
    expect(() => points.pass('relay.sent')).toThrow('failed at relay.sent, as EVTKIT_FAILPOINTS asks')
    expect(points.pass('relay.claimed')).toBeUndefined()
  })

  test('set to hang never go on', async () => {
    const points = new Failpoints('inbox.noted=hang', new Recorded())
    expect(await outcome(() => points.pass('inbox.noted'))).toBe('hangs')
  })

  test('set to crash end the process at the first passing', async () => {
    const effects = new Recorded()
    const points = new Failpoints('inbox.committed=crash', effects)
    expect(await outcome(() => points.pass('inbox.committed'))).toBe('hangs')
    expect(effects.crashes).toBe(1)
  })

  test('with a number act at that passing alone, and several of one step each at their own', async () => {
    const effects = new Recorded()
    const points = new Failpoints('relay.sent=error@2, relay.sent=crash@4,inbox.handled=hang@1', effects)
    const outcomes: unknown[] = []
    for (let i = 0; i < 5; i++) outcomes.push(await outcome(() => points.pass('relay.sent')))
    expect(outcomes).toEqual([undefined, expect.any(FailpointError), undefined, 'hangs', undefined])
    expect(effects.crashes).toBe(1)
    expect(await outcome(() => points.pass('inbox.handled'))).toBe('hangs')
    expect(await outcome(() => points.pass('inbox.handled'))).toBeUndefined()
  })

  test('are announced once, at the first step the process passes, before anything happens', () => {
    const effects = new Recorded()
    const points = new Failpoints('relay.sent=error@3', effects)
    expect(effects.warnings).toEqual([])
    points.pass('relay.claimed')
    points.pass('relay.sent')
    expect(effects.warnings).toEqual([expect.stringContaining('EVTKIT_FAILPOINTS is set (relay.sent=error@3)')])
  })

  test.each([
    ['relay.snet=crash', 'needs a step before the =, one of relay.claimed, relay.sent'],
    ['relay.sent', 'needs a step before the ='],
    ['relay.sent=explode', 'needs an action after the =, one of crash, hang, error'],
    ['relay.sent=crash@', 'needs a whole number from 1 up after the @'],
    ['relay.sent=crash@0', 'needs a whole number from 1 up after the @'],
    ['relay.sent=crash,', 'needs a step before the ='],
  ])('in a variable that cannot be read are refused: %s', (text, message) => {
    expect(() => new Failpoints(text, new Recorded())).toThrow(message)
  })
})
