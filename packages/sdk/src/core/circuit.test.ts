import { expect, test } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { Circuit } from './circuit.ts'
import { silentLogger } from './logger.ts'

function setUp() {
  const clock = createManualClock()
  const lines: string[] = []
  const write = (_fields: object, message: string) => void lines.push(message)
  const logger = { ...silentLogger, warn: write, error: write }
  const circuit = new Circuit({ clock, logger, random: () => 0, backoff: { initialMs: 100, maxMs: 1000 }, group: 'g' })
  const down = (wasProbe = false) => circuit.failed('database', new Error('gone'), wasProbe)
  return { clock, circuit, lines, down }
}

test('closed it rests nobody and has nothing to probe', () => {
  const { circuit } = setUp()
  expect([circuit.outage, circuit.restMs, circuit.tryProbe()]).toEqual([undefined, 0, false])
})

test('one probe at a time, each later than the one before it, however many fail meanwhile', async () => {
  const { clock, circuit, down } = setUp()
  down()
  down()
  expect([circuit.restMs, circuit.tryProbe()]).toEqual([100, false])
  await clock.advance(100)
  expect([circuit.restMs, circuit.tryProbe(), circuit.tryProbe()]).toEqual([0, true, false])
  expect(circuit.restMs).toBeGreaterThan(0)
  down()
  expect(circuit.tryProbe(), 'only the probe decides').toBe(false)
  down(true)
  expect(circuit.restMs).toBe(200)
})

test('a probe that says nothing leaves the next one its turn at once', async () => {
  const { clock, circuit, down } = setUp()
  down()
  await clock.advance(100)
  circuit.tryProbe()
  circuit.inconclusive()
  expect([circuit.restMs, circuit.tryProbe()]).toEqual([0, true])
})

test('an outage and its end are each one line, with how long it took', async () => {
  const { clock, circuit, lines, down } = setUp()
  down()
  down()
  await clock.advance(2500)
  circuit.tryProbe()
  circuit.recovered()
  circuit.recovered()
  expect(circuit.outage).toBeUndefined()
  expect(lines).toEqual([
    'the database is down: partitions pause and nothing is counted or set aside; one event at a time probes it: gone',
    'the database is back after 2500 ms; work goes on',
  ])
})

test('one that opens again at once goes on with its longer waits; later it begins anew', async () => {
  const { clock, circuit, down } = setUp()
  const probe = async () => {
    await clock.advance(circuit.restMs)
    expect(circuit.tryProbe()).toBe(true)
  }
  down()
  await probe()
  down(true)
  await probe()
  circuit.recovered()
  await clock.advance(500)
  down()
  expect(circuit.restMs).toBe(400)
  await probe()
  circuit.recovered()
  await clock.advance(5000)
  down()
  expect(circuit.restMs).toBe(100)
})
