import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LocalStackError } from './errors.ts'

const run = promisify(execFile)

const FOLDERS_OF_JAVA_HOMES = ['/usr/lib/jvm', '/opt/java', '/Library/Java/JavaVirtualMachines']

/** A Java runtime on this computer. */
export interface JavaRuntime {
  /** The `java` program. */
  readonly java: string
  /** 17 for `17.0.15`, 8 for `1.8.0`. */
  readonly majorVersion: number
}

/** Who needs Java, for the message when there is none. */
export interface JavaNeed {
  readonly name: string
  /** What can be done without Java, as in "set KAFKA_BROKERS to a running Kafka". */
  readonly instead: string
}

const kafka: JavaNeed = { name: 'Apache Kafka', instead: 'set KAFKA_BROKERS to a running Kafka' }

/**
 * The first Java runtime that is new enough, from `JAVA_HOME`, the search path and the usual installation folders.
 *
 * @throws LocalStackError `JAVA_MISSING` that says what to install.
 */
export async function findJava(
  minimumVersion: number,
  env: NodeJS.ProcessEnv = process.env,
  need: JavaNeed = kafka,
): Promise<JavaRuntime> {
  const tooOld: string[] = []
  for (const java of await candidates(env)) {
    const majorVersion = await javaVersion(java)
    if (majorVersion === undefined) continue
    if (majorVersion >= minimumVersion) return { java, majorVersion }
    tooOld.push(`${java} is version ${majorVersion}`)
  }
  const found = tooOld.length === 0 ? 'none was found' : tooOld.join(', ')
  throw new LocalStackError(
    'JAVA_MISSING',
    `${need.name} needs a Java runtime, version ${minimumVersion} or newer; ${found}. ` +
      `Install one (Debian, Ubuntu: apt-get install openjdk-${minimumVersion}-jre-headless; Fedora: dnf install java-21-openjdk-headless; ` +
      `macOS: brew install openjdk), or set JAVA_HOME, or ${need.instead}.`,
  )
}

async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
  const found: string[] = []
  if (env.JAVA_HOME) found.push(join(env.JAVA_HOME, 'bin', 'java'))
  found.push('java')
  for (const folder of FOLDERS_OF_JAVA_HOMES) {
    const homes = await readdir(folder).catch(() => [])
    for (const home of homes.sort()) {
      found.push(join(folder, home, 'bin', 'java'), join(folder, home, 'Contents', 'Home', 'bin', 'java'))
    }
  }
  return found
}

async function javaVersion(java: string): Promise<number | undefined> {
  try {
    const { stderr } = await run(java, ['-version'])
    return parseJavaVersion(stderr)
  } catch {
    return undefined
  }
}

/** The major version from what `java -version` prints. */
export function parseJavaVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output)
  return match?.[1] === undefined ? undefined : Number(match[1])
}
