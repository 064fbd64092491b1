import { execFile } from 'node:child_process'
import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'
import { fetchFolder } from './fetched-folder.ts'
import { runMaven } from './maven.ts'
import { type Progress, printProgress, seconds } from './progress.ts'

const run = promisify(execFile)

/** The Apicurio Registry that is run when no other is named. */
export const APICURIO_VERSION = '3.3.3'

const ARTIFACT = `io.apicurio:apicurio-registry-app:${APICURIO_VERSION}:tar.gz:all`

export interface ApicurioAppOptions {
  /** @default the environment variable EVTKIT_CACHE_DIR, else `.cache/evtkit` in the home folder */
  readonly cacheDir?: string | undefined
  readonly progress?: Progress | undefined
}

/**
 * The folder with the program of Apicurio Registry. The first call on a computer fetches it with Maven and unpacks it, calls at
 * the same time from any process wait for that one, later calls find it in the cache.
 *
 * @throws LocalStackError `MAVEN_MISSING` that says what to install, `DOWNLOAD_FAILED` with what went wrong.
 */
export async function fetchApicurio(options: ApicurioAppOptions = {}): Promise<string> {
  const progress = options.progress ?? printProgress
  const folder = await fetchFolder({
    name: `apicurio-${APICURIO_VERSION}`,
    cacheDir: options.cacheDir,
    fill: (partial) => download(partial, progress),
  })
  return join(folder, 'app')
}

async function download(folder: string, progress: Progress): Promise<readonly string[]> {
  const startedAt = Date.now()
  progress(`Fetching Apicurio Registry ${APICURIO_VERSION} with Maven (159 MB, once) ...`)
  const packed = join(folder, 'packed')
  await runMaven(['dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${packed}`], folder, {
    title: `Apicurio Registry ${APICURIO_VERSION}`,
    otherwise: 'or start Docker, or set SCHEMA_REGISTRY_URL to a running schema registry',
  })
  const app = join(folder, 'app')
  await unpack(packed, app)
  await rm(packed, { recursive: true })
  const files = (await readdir(app, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join('app', relative(app, join(entry.parentPath, entry.name))))
    .sort()
  progress(`Fetched and unpacked ${files.length} files in ${seconds(Date.now() - startedAt)}.`)
  return files
}

async function unpack(packed: string, app: string): Promise<void> {
  try {
    const [archive = ''] = await readdir(packed)
    await mkdir(app, { recursive: true })
    await run('tar', ['-xzf', join(packed, archive), '-C', app])
    await access(join(app, 'quarkus-run.jar'))
  } catch (cause) {
    throw new LocalStackError(
      'DOWNLOAD_FAILED',
      `Apicurio Registry ${APICURIO_VERSION} was fetched, but could not be unpacked with tar into ${app}.`,
      { cause },
    )
  }
}
