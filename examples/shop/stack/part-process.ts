import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isAlive, type ProcessIdentity } from '@evtkit/local-stack'
import type { PartName } from './part.ts'
import { checkout, exitFile, logFile, type StackFolder } from './stack-folder.ts'
import { processTitle } from './stray-process.ts'

/** What lets Node.js run TypeScript files as they are. */
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

const POLL_MS = 25
const AFTER_SIGKILL_MS = 10_000

export interface PartProgram {
  /** The TypeScript file that runs a part, given its name. */
  readonly file: string
  /** The environment below the variables of the part. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Starts one part as a process that outlives this one, with its output appended to its log file.
 *
 * @returns the process id, at once; whether the part came up is for its health to say.
 */
export function spawnPart(
  part: PartName,
  folder: StackFolder,
  program: PartProgram,
  variables: Record<string, string>,
): number {
  for (const path of [folder.logs, folder.exits, folder.outside]) mkdirSync(path, { recursive: true })
  rmSync(exitFile(folder, part), { force: true })
  const log = openSync(logFile(folder, part), 'a')
  try {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@evtkit/source',
        ...['--import', loader],
        ...['--import', new URL('./exit-record.ts', import.meta.url).href],
        `--title=${processTitle(folder, part)}`,
        program.file,
        part,
      ],
      {
        // A session of its own: Ctrl-C in the terminal that started the stack ends only the command, not the parts.
        detached: true,
        stdio: ['ignore', log, log],
        cwd: checkout,
        env: { ...program.environment, ...variables, STACK_EXIT_FILE: exitFile(folder, part) },
      },
    )
    child.unref()
    if (child.pid === undefined) throw new Error(`no process could be made for ${part} with ${process.execPath}`)
    return child.pid
  } finally {
    closeSync(log)
  }
}

/** How a process ended. */
export type Ending =
  | { readonly kind: 'exited'; readonly code: number }
  /** It left no note: a signal that cannot be caught, or a crash of the computer. */
  | { readonly kind: 'killed' }

/** How the last process of a part ended, from the note it left. */
export function readEnding(folder: StackFolder, part: PartName, pid: number): Ending {
  try {
    const [noted, code] = readFileSync(exitFile(folder, part), 'utf8').trim().split(' ')
    if (Number(noted) === pid && code !== undefined) return { kind: 'exited', code: Number(code) }
  } catch {
    // No note.
  }
  return { kind: 'killed' }
}

/** Sends a signal to exactly this process. False when it has ended. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Whether the process was gone before the time was over. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (await isAlive(identity)) {
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Asks a process to end, and ends it when it does not within the grace period. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<'ended' | 'forced'> {
  if (!(await signalProcess(identity, 'SIGTERM'))) return 'ended'
  // A process halted by SIGSTOP takes SIGTERM only once it goes on.
  await signalProcess(identity, 'SIGCONT')
  if (await waitUntilGone(identity, graceMs)) return 'ended'
  await signalProcess(identity, 'SIGKILL')
  await waitUntilGone(identity, AFTER_SIGKILL_MS)
  return 'forced'
}
