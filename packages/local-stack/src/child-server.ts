import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalStackError } from './errors.ts'
import { lastLines, logSize, readLogFrom } from './log-tail.ts'
import { guardProcess, type ProcessGuard } from './process-guard.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

const POLL_MS = 20
const AGAIN_MS = 200

/** How one server program is run. Plain data, so that another process can read it from a file and run the same again. */
export interface ServerCommand {
  /** What people call the server: `Kafka`. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** The user and group to run as, when not those of this process. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Gets the standard output and error streams, appended. */
  readonly logFile: string
  /** A regular expression found in the log once the server serves. */
  readonly readyPattern: string
  /** A regular expression for the complaint in the log after which it helps to start again a moment later. */
  readonly againPattern?: string
  readonly startTimeoutMs: number
  /** Asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals
  /** After this much time an orderly end becomes SIGKILL. */
  readonly stopTimeoutMs: number
}

export interface ChildServerOptions {
  /** Whether the server outlives this process. */
  readonly detached: boolean
  /** A folder that goes when this process dies without stopping the server. Unused when detached. */
  readonly throwawayFolder?: string | undefined
}

/** A server program that runs as an operating-system process of its own, started by this process or found running. */
export class ChildServer {
  readonly command: ServerCommand
  readonly #options: ChildServerOptions
  #identity: ProcessIdentity
  #startedAt: Date
  #guard: ProcessGuard | undefined

  private constructor(command: ServerCommand, options: ChildServerOptions, running: RunningProcess) {
    this.command = command
    this.#options = options
    this.#identity = running.identity
    this.#startedAt = running.startedAt
    this.#guard = running.guard
  }

  /**
   * Starts the program and resolves when its log says that it serves.
   *
   * @throws LocalStackError `SERVER_FAILED` with the end of the log when the program ends or is silent for too long.
   */
  static async start(command: ServerCommand, options: ChildServerOptions): Promise<ChildServer> {
    return new ChildServer(command, options, await launch(command, options))
  }

  /** Takes over a server that another process started and left running. */
  static attach(command: ServerCommand, identity: ProcessIdentity, startedAt: Date): ChildServer {
    return new ChildServer(command, { detached: true }, { identity, startedAt, guard: undefined })
  }

  get pid(): number {
    return this.#identity.pid
  }

  get identity(): ProcessIdentity {
    return this.#identity
  }

  get startedAt(): Date {
    return this.#startedAt
  }

  isAlive(): Promise<boolean> {
    return isAlive(this.#identity)
  }

  /**
   * Sends a signal to the process. After SIGKILL it resolves when the process is gone, otherwise at once.
   *
   * @throws LocalStackError `SERVER_NOT_RUNNING`
   */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!(await this.isAlive())) {
      throw new LocalStackError(
        'SERVER_NOT_RUNNING',
        `${signal} was to go to ${this.command.name} with process id ${this.pid}, but that process has ended. Its log is ${this.command.logFile}.`,
      )
    }
    process.kill(this.pid, signal)
    if (signal === 'SIGKILL') await this.#gone(this.command.stopTimeoutMs)
  }

  /** Ends the process in an orderly way, by force when it takes too long. Does nothing when it has ended. */
  async stop(): Promise<void> {
    if (await this.isAlive()) {
      process.kill(this.pid, this.command.stopSignal)
      // A process halted by SIGSTOP takes the signal only once it goes on.
      process.kill(this.pid, 'SIGCONT')
      if (!(await this.#gone(this.command.stopTimeoutMs))) await this.kill('SIGKILL')
    }
    this.#guard?.release()
    this.#guard = undefined
  }

  /** Stops the process when it still runs and starts the same program on the same data and ports. */
  async restart(): Promise<void> {
    await this.stop()
    const running = await launch(this.command, this.#options)
    this.#identity = running.identity
    this.#startedAt = running.startedAt
    this.#guard = running.guard
  }

  async #gone(timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    while (await this.isAlive()) {
      if (Date.now() > deadline) return false
      await sleep(POLL_MS)
    }
    return true
  }
}

interface RunningProcess {
  readonly identity: ProcessIdentity
  readonly startedAt: Date
  readonly guard: ProcessGuard | undefined
}

async function launch(command: ServerCommand, options: ChildServerOptions): Promise<RunningProcess> {
  const deadline = Date.now() + command.startTimeoutMs
  for (;;) {
    const position = await logSize(command.logFile)
    const outcome = await attempt(command, options, position, deadline)
    if (typeof outcome !== 'string') return outcome
    const log = await readLogFrom(command.logFile, position)
    const worthAnotherTry = command.againPattern !== undefined && new RegExp(command.againPattern).test(log)
    if (!worthAnotherTry || Date.now() > deadline) throw startFailure(command, outcome, log)
    await sleep(AGAIN_MS)
  }
}

/** Starts the program once; the answer is what went wrong when it is a text. */
async function attempt(
  command: ServerCommand,
  options: ChildServerOptions,
  position: number,
  deadline: number,
): Promise<RunningProcess | string> {
  const child = await spawnLogged(command)
  const identity = child.pid === undefined ? undefined : await identifyProcess(child.pid)
  if (identity === undefined) return 'ended at once'
  const guard = options.detached ? undefined : guardProcess(identity.pid, options.throwawayFolder)
  // The guard, not the event loop, ties the server's life to ours: a program that has nothing else to do may end.
  child.unref()
  child.once('exit', () => guard?.release())
  const failure = await waitUntilReady(command, identity, position, deadline)
  if (failure === undefined) return { identity, startedAt: new Date(), guard }
  await killIfAlive(identity)
  guard?.release()
  return failure
}

function spawnLogged(command: ServerCommand): Promise<ChildProcess> {
  const log = openSync(command.logFile, 'a')
  return new Promise<ChildProcess>((resolve, reject) => {
    const child = spawn(command.command, command.args, {
      // A session of its own: Ctrl-C in a terminal reaches only the program that started the server, which then decides.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
      ...command.user,
    })
    child.once('spawn', () => resolve(child))
    child.once('error', (cause) =>
      reject(
        new LocalStackError('SERVER_FAILED', `${command.name} could not be started with ${command.command}.`, {
          cause,
        }),
      ),
    )
  }).finally(() => closeSync(log))
}

async function waitUntilReady(
  command: ServerCommand,
  identity: ProcessIdentity,
  position: number,
  deadline: number,
): Promise<string | undefined> {
  const ready = new RegExp(command.readyPattern)
  for (;;) {
    if (ready.test(await readLogFrom(command.logFile, position))) return undefined
    if (!(await isAlive(identity))) return 'ended before it was ready'
    if (Date.now() > deadline) return `was not ready after ${command.startTimeoutMs} ms`
    await sleep(POLL_MS)
  }
}

async function killIfAlive(identity: ProcessIdentity): Promise<void> {
  if (await isAlive(identity)) process.kill(identity.pid, 'SIGKILL')
}

function startFailure(command: ServerCommand, what: string, log: string): LocalStackError {
  const end = log === '' ? '(empty)' : lastLines(log, 15)
  return new LocalStackError(
    'SERVER_FAILED',
    `${command.name} ${what}. The end of its log (${command.logFile}):\n${end}`,
  )
}
