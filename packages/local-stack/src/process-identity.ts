import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One process and no other: a process id comes back after a while, together with its start it does not. */
export interface ProcessIdentity {
  readonly pid: number
  /** When the process started, in the words of the operating system; only good for comparing. */
  readonly started: string
}

/** The identity of the living process with this id; undefined when there is none, or only its remains. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startedFromProc(pid) : await startedFromPs(pid)
  return started === undefined ? undefined : { pid, started }
}

/** Whether exactly this process still lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const current = await identifyProcess(identity.pid)
  return current?.started === identity.started
}

async function startedFromProc(pid: number): Promise<string | undefined> {
  try {
    return parseProcStat(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** The start time in clock ticks since boot from the text of `/proc/<pid>/stat`; undefined for a zombie. */
export function parseProcStat(stat: string): string | undefined {
  // The second field is the program's name in parentheses; it may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  if (state === undefined || state === 'Z' || state === 'X') return undefined
  return fields[19]
}

async function startedFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    })
    const [state, ...started] = stdout.trim().split(/\s+/)
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}
