import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyState, readState, StateFile } from './stack-state.ts'

let folder = ''
let file = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stack-state-'))
  file = join(folder, 'deeper', 'state.json')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const orders = {
  port: 21_000,
  restarts: 1,
  process: { pid: 42, started: '1234', startedAt: '2026-01-01T00:00:00.000Z' },
}

test('what is changed is found again by the next command', () => {
  const first = new StateFile(file)
  first.change({ kafka: { origin: 'process', running: true, address: '127.0.0.1:9092', port: 9092, restarts: 0 } })
  first.changePart('orders', orders)
  first.changePart('gateway', { port: 21_001, restarts: 0 })

  const second = new StateFile(file)
  expect(second.problem).toBeUndefined()
  expect(second.state).toEqual(first.state)
  expect(second.part('orders')).toEqual(orders)
  expect(second.part('payments')).toBeUndefined()
})

test('a change leaves no draft beside the file', () => {
  new StateFile(file).changePart('orders', orders)
  expect(readdirSync(join(folder, 'deeper'))).toEqual(['state.json'])
})

test('without a file there is an empty state and no problem', () => {
  expect(readState(file)).toEqual({ state: emptyState })
})

test('half a file is an empty state and a problem that names the file', () => {
  new StateFile(file).changePart('orders', orders)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.slice(0, text.length / 2))
  const { state, problem } = readState(file)
  expect(state).toEqual(emptyState)
  expect(problem).toMatch(file)
})

test('a state of another shape is not used', () => {
  new StateFile(file).changePart('orders', orders)
  writeFileSync(file, JSON.stringify({ version: 1, parts: { orders: { port: 'high', restarts: 0 } } }))
  expect(readState(file).problem).toMatch('parts.orders.port')
  writeFileSync(file, JSON.stringify({ version: 2, parts: {} }))
  expect(readState(file).problem).toMatch('version')
})

test('an unusable file is replaced by the next change', () => {
  new StateFile(file).changePart('orders', orders)
  writeFileSync(file, '{')
  new StateFile(file).changePart('orders', orders)
  expect(readState(file)).toEqual({ state: { version: 1, parts: { orders } } })
})
