import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalStackErrorCode } from './errors.ts'
import { fetchFolder } from './fetched-folder.ts'
import { runMaven } from './maven.ts'
import { type Progress, printProgress, seconds } from './progress.ts'

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
  const folder = await fetchFolder({
    name: jars.folder,
    cacheDir: options.cacheDir,
    fill: (empty) => download(jars, empty, options.progress ?? printProgress),
  })
  return join(folder, 'libs')
}

async function download(jars: MavenJars, folder: string, progress: Progress): Promise<readonly string[]> {
  const startedAt = Date.now()
  progress(`Fetching ${jars.title} with Maven (${jars.size}, once) ...`)
  const pom = join(folder, 'pom.xml')
  const libs = join(folder, 'libs')
  await writeFile(pom, pomOf(jars))
  await runMaven(['-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`], folder, jars)
  const names = (await readdir(libs)).filter((name) => name.endsWith('.jar')).sort()
  progress(`Fetched ${names.length} files, ${await megabytes(libs)} MB, in ${seconds(Date.now() - startedAt)}.`)
  return names.map((name) => join('libs', name))
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
