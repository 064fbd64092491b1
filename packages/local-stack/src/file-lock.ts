import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

const POLL_MS = 200

/**
 * Runs the work while this process alone holds the lock file, among all processes of this computer that use the same
 * file. A lock whose holder died is taken over.
 */
export async function withFileLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const me = await identifyProcess(process.pid)
  while (!(await tryCreate(lockFile, JSON.stringify(me)))) {
    if (await isAbandoned(lockFile)) await rm(lockFile, { force: true })
    else await sleep(POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(lockFile, { force: true })
  }
}

async function tryCreate(lockFile: string, content: string): Promise<boolean> {
  // Linked into place with its content: a lock file is never seen empty, so one that cannot be read is nobody's.
  const draft = `${lockFile}.${randomUUID()}`
  await writeFile(draft, content)
  try {
    await link(draft, lockFile)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  try {
    // Written by `withFileLock`, so its shape is known.
    const holder = JSON.parse(await readFile(lockFile, 'utf8')) as ProcessIdentity
    return !(await isAlive(holder))
  } catch (error) {
    return error instanceof SyntaxError
  }
}
