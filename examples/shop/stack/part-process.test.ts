import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identifyProcess } from '@evtkit/local-stack'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { endProcess, readEnding, signalProcess, waitUntilGone } from './part-process.ts'
import { exitFile, type StackFolder, stackFolder } from './stack-folder.ts'

let folder: StackFolder

beforeEach(() => {
  folder = stackFolder(mkdtempSync(join(tmpdir(), 'stack-parts-')))
  mkdirSync(folder.exits)
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder.path, { recursive: true, force: true })
})

test('a process that has the id of a part but started at another time is never sent a signal', async () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  const stranger = { pid: process.pid, started: 'at another time' }
  expect(await signalProcess(stranger, 'SIGKILL')).toBe(false)
  expect(await endProcess(stranger, 0)).toBe('ended')
  expect(await waitUntilGone(stranger, 0)).toBe(true)
  expect(kill).not.toHaveBeenCalled()
})

test('a process is sent a signal when both its id and its start are the noted ones', async () => {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  const me = await identifyProcess(process.pid)
  expect(me && (await signalProcess(me, 'SIGTERM'))).toBe(true)
  expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGTERM')
})

test('a process that outlasts its grace period is killed', async () => {
  const kill = vi.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
    if (signal === 'SIGKILL' && me) Object.assign(me, { started: 'gone' })
    return true
  })
  const me = await identifyProcess(process.pid)
  expect(me && (await endProcess(me, 0))).toBe('forced')
  expect(kill.mock.calls.map(([, signal]) => signal)).toEqual(['SIGTERM', 'SIGCONT', 'SIGKILL'])
})

test('a part that left a note has exited with its code', () => {
  writeFileSync(exitFile(folder, 'orders'), '42 3\n')
  expect(readEnding(folder, 'orders', 42)).toEqual({ kind: 'exited', code: 3 })
})

test('a part that left no note, or whose note is of an earlier process, was killed', () => {
  expect(readEnding(folder, 'orders', 42)).toEqual({ kind: 'killed' })
  writeFileSync(exitFile(folder, 'orders'), '41 0\n')
  expect(readEnding(folder, 'orders', 42)).toEqual({ kind: 'killed' })
})
