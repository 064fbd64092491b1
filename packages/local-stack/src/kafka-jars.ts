import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'
import { withFileLock } from './file-lock.ts'
import { lastLines } from './log-tail.ts'
import { type Progress, printProgress, seconds } from './progress.ts'

const run = promisify(execFile)

/** The Apache Kafka that is run when no other is named. */
export const KAFKA_VERSION = '4.3.1'

const MARKER = 'complete.json'

export interface KafkaJarsOptions {
  /** @default the environment variable EVTKIT_CACHE_DIR, else `.cache/evtkit` in the home folder */
  readonly cacheDir?: string | undefined
  readonly progress?: Progress | undefined
}

/**
 * The folder with the jar files of Apache Kafka. The first call on a computer fetches them with Maven, calls at the same
 * time from any process wait for that one, later calls find them in the cache.
 *
 * @throws LocalStackError `MAVEN_MISSING` that says what to install, `KAFKA_DOWNLOAD_FAILED` with what Maven said.
 */
export async function fetchKafkaJars(options: KafkaJarsOptions = {}): Promise<string> {
  const cacheDir = options.cacheDir ?? process.env.EVTKIT_CACHE_DIR ?? join(homedir(), '.cache', 'evtkit')
  const target = join(cacheDir, `kafka-${KAFKA_VERSION}`)
  const libs = join(target, 'libs')
  if (await isComplete(target)) return libs
  await mkdir(cacheDir, { recursive: true })
  await withFileLock(`${target}.lock`, async () => {
    if (!(await isComplete(target))) await download(target, options.progress ?? printProgress)
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

async function download(target: string, progress: Progress): Promise<void> {
  const startedAt = Date.now()
  progress(`Fetching Apache Kafka ${KAFKA_VERSION} with Maven into ${target} (92 files, 54 MB, once) ...`)
  // Filled beside its final place and moved there when whole: an interrupted download is never taken for a good one.
  const partial = await mkdtemp(`${target}.partial-`)
  try {
    const pom = join(partial, 'pom.xml')
    const libs = join(partial, 'libs')
    await writeFile(pom, kafkaPom(KAFKA_VERSION))
    await copyDependencies(pom, libs)
    const jars = (await readdir(libs)).filter((name) => name.endsWith('.jar')).sort()
    await writeFile(join(partial, MARKER), JSON.stringify({ jars }, null, 2))
    await rm(target, { recursive: true, force: true })
    await rename(partial, target)
    progress(
      `Fetched ${jars.length} files, ${await megabytes(join(target, 'libs'))} MB, in ${seconds(Date.now() - startedAt)}.`,
    )
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function copyDependencies(pom: string, libs: string): Promise<void> {
  const args = ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`]
  try {
    await run('mvn', args, { cwd: dirname(pom), maxBuffer: 64 * 1024 * 1024 })
  } catch (cause) {
    // An error of execFile carries the code of spawn and the captured output as properties.
    const failure = cause as { code?: unknown; stdout?: string; stderr?: string }
    if (failure.code === 'ENOENT') {
      throw new LocalStackError(
        'MAVEN_MISSING',
        `Apache Kafka ${KAFKA_VERSION} is not in the cache and Maven (mvn), which fetches it, is not on the search path. ` +
          'Install it (Debian, Ubuntu: apt-get install maven; Fedora: dnf install maven; macOS: brew install maven), ' +
          'or start Docker, or set KAFKA_BROKERS to a running Kafka.',
        { cause },
      )
    }
    throw new LocalStackError(
      'KAFKA_DOWNLOAD_FAILED',
      `Maven could not fetch Apache Kafka ${KAFKA_VERSION}. Check the network or the mirror in ~/.m2/settings.xml. It said:\n` +
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

function kafkaPom(version: string): string {
  const dependency = (group: string, artifact: string, number: string) =>
    `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${number}</version></dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>evtkit</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', version)}
${dependency('org.apache.kafka', 'kafka-tools', version)}
${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
  </dependencies>
</project>
`
}
