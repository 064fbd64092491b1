import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withFileLock } from './file-lock.ts'

let folder: string
let lockFile: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-lock-'))
  lockFile = join(folder, 'x.lock')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

test('one holder at a time, and nothing is left behind', async () => {
  let inside = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await readdir(folder)
    inside--
  }
  await Promise.all([withFileLock(lockFile, work), withFileLock(lockFile, work), withFileLock(lockFile, work)])
  expect(most).toBe(1)
  expect(await readdir(folder)).toEqual([])
})

test('the lock of a process that died is taken over', async () => {
  await writeFile(lockFile, JSON.stringify({ pid: process.pid, started: 'before this process' }))
  expect(await withFileLock(lockFile, async () => 'done')).toBe('done')
})

test('a failed piece of work lets go of the lock', async () => {
  await expect(withFileLock(lockFile, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await readdir(folder)).toEqual([])
})
