import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { identifyProcess, isAlive, parseProcStat } from './process-identity.ts'

test('this process is alive', async () => {
  const me = await identifyProcess(process.pid)
  expect(me).toBeDefined()
  if (me) expect(await isAlive(me)).toBe(true)
})

test('another process that was given the same id is not the one that was meant', async () => {
  expect(await isAlive({ pid: process.pid, started: 'long before this one' })).toBe(false)
})

test('a process that has ended is not alive', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
  const exited = once(child, 'exit')
  const identity = child.pid === undefined ? undefined : await identifyProcess(child.pid)
  expect(identity).toBeDefined()
  child.kill('SIGKILL')
  await exited
  if (identity) expect(await isAlive(identity)).toBe(false)
})

test('the start time is found behind a program name with spaces and parentheses', () => {
  const after = Array.from({ length: 30 }, (_, index) => `field${index + 4}`).join(' ')
  expect(parseProcStat(`42 (a ) (b) S ${after}`)).toBe('field22')
})

test('the remains of an ended process count as gone', () => {
  expect(parseProcStat(`42 (java) Z ${Array.from({ length: 30 }, () => '0').join(' ')}`)).toBeUndefined()
})
