import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError, type LocalStackErrorCode } from './errors.ts'
import { withFileLock } from './file-lock.ts'
import { lastLines } from './log-tail.ts'
import { type Progress, printProgress, seconds } from './progress.ts'

const run = promisify(execFile)

const MARKER = 'complete.json'

/** Java libraries, with all that they need, from Maven Central or the mirror in `~/.m2/settings.xml`. */
export interface MavenJars {
  /** What they are called in messages, with the version: `Apache Avro 1.12.1`. */
  readonly title: string
  /** Name of their folder in the cache, with the version: `avro-1.12.1`. */
  readonly folder: string
  /** `group:artifact:version` each. */
  readonly artifacts: readonly string[]
  /** Such as `92 files, 54 MB`. */
  readonly size: string
  /** What else than installing Maven helps, such as `or start Docker`. */
  readonly otherwise?: string
  /** @default 'DOWNLOAD_FAILED' */
  readonly failure?: LocalStackErrorCode
}

export interface FetchJarsOptions {
  /** @default the environment variable EVTKIT_CACHE_DIR, else `.cache/evtkit` in the home folder */
  readonly cacheDir?: string | undefined
  readonly progress?: Progress | undefined
}

/**
 * The folder with these jar files. The first call on a computer fetches them with Maven, calls at the same time from any
 * process wait for that one, later calls find them in the cache.
 *
 * @throws LocalStackError `MAVEN_MISSING` that says what to install, `DOWNLOAD_FAILED` with what Maven said.
 */
export async function fetchJars(jars: MavenJars, options: FetchJarsOptions = {}): Promise<string> {
  const cacheDir = options.cacheDir ?? process.env.EVTKIT_CACHE_DIR ?? join(homedir(), '.cache', 'evtkit')
  const target = join(cacheDir, jars.folder)
  const libs = join(target, 'libs')
  if (await isComplete(target)) return libs
  await mkdir(cacheDir, { recursive: true })
  await withFileLock(`${target}.lock`, async () => {
    if (!(await isComplete(target))) await download(jars, target, options.progress ?? printProgress)
  })
  return libs
}

async function isComplete(target: string): Promise<boolean> {
  try {
    // Written by `download` below, so its shape is known.
    const marker = JSON.parse(await readFile(join(target, MARKER), 'utf8')) as { jars: string[] }
    const present = new Set(await readdir(join(target, 'libs')))
    return marker.jars.length > 0 && marker.jars.every((jar) => present.has(jar))
  } catch {
    return false
  }
}

async function download(jars: MavenJars, target: string, progress: Progress): Promise<void> {
  const startedAt = Date.now()
  progress(`Fetching ${jars.title} with Maven into ${target} (${jars.size}, once) ...`)
  // Filled beside its final place and moved there when whole: an interrupted download is never taken for a good one.
  const partial = await mkdtemp(`${target}.partial-`)
  try {
    const pom = join(partial, 'pom.xml')
    const libs = join(partial, 'libs')
    await writeFile(pom, pomOf(jars))
    await copyDependencies(jars, pom, libs)
    const names = (await readdir(libs)).filter((name) => name.endsWith('.jar')).sort()
    await writeFile(join(partial, MARKER), JSON.stringify({ jars: names }, null, 2))
    await rm(target, { recursive: true, force: true })
    await rename(partial, target)
    progress(
      `Fetched ${names.length} files, ${await megabytes(join(target, 'libs'))} MB, in ${seconds(Date.now() - startedAt)}.`,
    )
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function copyDependencies(jars: MavenJars, pom: string, libs: string): Promise<void> {
  const args = ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`]
  try {
    await run('mvn', args, { cwd: dirname(pom), maxBuffer: 64 * 1024 * 1024 })
  } catch (cause) {
    // An error of execFile carries the code of spawn and the captured output as properties.
    const failure = cause as { code?: unknown; stdout?: string; stderr?: string }
    if (failure.code === 'ENOENT') {
      throw new LocalStackError(
        'MAVEN_MISSING',
        `${jars.title} is not in the cache and Maven (mvn), which fetches it, is not on the search path. ` +
          `Install it (Debian, Ubuntu: apt-get install maven; Fedora: dnf install maven; macOS: brew install maven)${
            jars.otherwise === undefined ? '' : `, ${jars.otherwise}`
          }.`,
        { cause },
      )
    }
    throw new LocalStackError(
      jars.failure ?? 'DOWNLOAD_FAILED',
      `Maven could not fetch ${jars.title}. Check the network or the mirror in ~/.m2/settings.xml. It said:\n` +
        lastLines(`${failure.stdout ?? ''}\n${failure.stderr ?? ''}`, 15),
      { cause },
    )
  }
}

async function megabytes(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size
  return Math.round(bytes / 1024 / 1024)
}

function pomOf({ folder, artifacts }: MavenJars): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':')
    return `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>evtkit</groupId>
  <artifactId>local-${folder}</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
