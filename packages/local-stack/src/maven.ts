import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { LocalStackError, type LocalStackErrorCode } from './errors.ts'
import { lastLines } from './log-tail.ts'

const run = promisify(execFile)

/** What is fetched, for the messages of a failed attempt. */
export interface MavenErrand {
  /** With the version: `Apache Kafka 4.3.1`. */
  readonly title: string
  /** What else than installing Maven helps, such as `or start Docker`. */
  readonly otherwise?: string
  /** @default 'DOWNLOAD_FAILED' */
  readonly failure?: LocalStackErrorCode
}

/** @throws LocalStackError `MAVEN_MISSING` that says what to install, or the errand's own code with what Maven said. */
export async function runMaven(args: readonly string[], folder: string, errand: MavenErrand): Promise<void> {
  try {
    await run('mvn', ['-B', '-q', ...args], { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
  } catch (cause) {
    // An error of execFile carries the code of spawn and the captured output as properties.
    const failure = cause as { code?: unknown; stdout?: string; stderr?: string }
    if (failure.code === 'ENOENT') {
      throw new LocalStackError(
        'MAVEN_MISSING',
        `${errand.title} is not in the cache and Maven (mvn), which fetches it, is not on the search path. ` +
          'Install it (Debian, Ubuntu: apt-get install maven; Fedora: dnf install maven; macOS: brew install maven)' +
          `${errand.otherwise === undefined ? '' : `, ${errand.otherwise}`}.`,
        { cause },
      )
    }
    throw new LocalStackError(
      errand.failure ?? 'DOWNLOAD_FAILED',
      `Maven could not fetch ${errand.title}. Check the network or the mirror in ~/.m2/settings.xml. It said:\n` +
        lastLines(`${failure.stdout ?? ''}\n${failure.stderr ?? ''}`, 15),
      { cause },
    )
  }
}
