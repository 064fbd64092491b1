import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { checkout } from '../../stack/stack-folder.ts'

export interface ProgramOptions {
  /** Its name in the world: a service, or `orders#2` for a second one of it. */
  readonly name: string
  /** What is loaded first, the file to run, and its one argument. */
  readonly preload: string
  readonly file: string
  readonly argument: string
  readonly port: number
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logFile: string
  /** Told when its process ends. */
  readonly onExit: (exit: ProgramExit) => void
}

export interface ProgramExit {
  readonly name: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether it had been told to end, or was killed on purpose. */
  readonly asked: boolean
}

/** One program of the world as an operating-system process that can be killed, frozen and started again. */
export class Program {
  readonly name: string
  readonly port: number
  readonly #options: ProgramOptions
  #child: ChildProcess | undefined
  #gone: Promise<ProgramExit> | undefined
  #asked = false

  constructor(options: ProgramOptions) {
    this.name = options.name
    this.port = options.port
    this.#options = options
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get runs(): boolean {
    return this.#child !== undefined
  }

  /** @param extra environment for this start alone */
  start(extra: Readonly<Record<string, string>> = {}): void {
    if (this.#child !== undefined) throw new Error(`${this.name} runs already`)
    const { preload, file, argument, environment, logFile, onExit } = this.#options
    const log = openSync(logFile, 'a')
    this.#asked = false
    const child = spawn(process.execPath, ['--import', pathToFileURL(preload).href, file, argument], {
      // A group of its own: Ctrl-C in a terminal reaches only whoever started the world, which then ends it in order.
      detached: true,
      stdio: ['ignore', log, log],
      cwd: checkout,
      // A registry of other tests has no business here, and failpoints are for those who are meant.
      env: { ...process.env, SCHEMA_REGISTRY_URL: '', EVTKIT_FAILPOINTS: '', ...environment, ...extra },
    })
    closeSync(log)
    this.#child = child
    this.#gone = new Promise((resolve) => {
      child.once('error', () => resolve({ name: this.name, code: null, signal: null, asked: false }))
      child.once('exit', (code, signal) => {
        this.#child = undefined
        const exit = { name: this.name, code, signal, asked: this.#asked }
        onExit(exit)
        resolve(exit)
      })
    })
  }

  /** Sends a signal. One that ends the process counts as asked for. */
  signal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#asked = true
    this.#child?.kill(signal)
  }

  /** From now on its end is no surprise: it was told to crash by itself. */
  expectEnd(): void {
    this.#asked = true
  }

  /** Ends the process with this signal and resolves when it is gone; with SIGKILL when it does not end in time. */
  async end(signal: 'SIGTERM' | 'SIGKILL', withinMs = 20_000): Promise<ProgramExit | undefined> {
    const gone = this.#gone
    if (this.#child === undefined || gone === undefined) return undefined
    this.signal(signal)
    // A frozen process takes other signals than SIGKILL only once it goes on.
    this.signal('SIGCONT')
    const timeout = new AbortController()
    try {
      const exit = await Promise.race([gone, sleep(withinMs, undefined, { signal: timeout.signal })])
      if (exit !== undefined) return exit
      this.signal('SIGKILL')
      return await gone
    } finally {
      timeout.abort()
    }
  }

  /** Resolves when its process has ended by itself, or with undefined when the time is over. */
  async whenGone(withinMs: number): Promise<ProgramExit | undefined> {
    const timeout = new AbortController()
    try {
      return await Promise.race([this.#gone, sleep(withinMs, undefined, { signal: timeout.signal })])
    } finally {
      timeout.abort()
    }
  }

  /** Why it is not ready, or undefined when it is. */
  async unreadiness(): Promise<string | undefined> {
    if (this.#child === undefined) return 'does not run'
    try {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(3000) })
      const text = await answer.text()
      return answer.ok ? undefined : text.slice(0, 400)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}
