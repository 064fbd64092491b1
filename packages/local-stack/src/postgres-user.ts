import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'

const run = promisify(execFile)

/** An operating-system user that PostgreSQL runs as. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/**
 * Who to run PostgreSQL as: undefined for the user of this process, another one when that is root, which PostgreSQL refuses.
 *
 * @throws LocalStackError `POSTGRES_USER_MISSING`
 */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (userInfo().uid !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const user = await lookUp(name)
    if (user) return user
  }
  throw new LocalStackError(
    'POSTGRES_USER_MISSING',
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as. ' +
      'Create one (useradd --system postgres) or run this as another user.',
  )
}

async function lookUp(name: string): Promise<SystemUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

/**
 * Where the database files of a data folder lie: inside it, or below /var/tmp when the user may not pass through a
 * folder above it, as is so below the home folder of root.
 */
export async function clusterFolder(dataDir: string, user: SystemUser | undefined): Promise<string> {
  if (user === undefined || (await isPassable(dataDir))) return join(dataDir, 'cluster')
  const digest = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return `/var/tmp/evtkit-postgres-${digest}`
}

async function isPassable(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { mode } = await stat(path)
    if ((mode & 0o001) === 0) return false
    if (path === dirname(path)) return true
  }
}
