/** A process of its own that runs a TypeScript file, for tests that kill, stop or signal it. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, vi } from 'vitest'

export interface Child {
  readonly pid: number
  /** Everything it wrote so far, to both streams. */
  readonly output: string
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Waits until it has written this. */
  said(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
}

const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const running = new Set<Child>()

/** Starts a file of `test/children` and kills it after the tests of the file at the latest. */
export function startChild(name: string, environment: Readonly<Record<string, string>> = {}): Child {
  return startFile(fileURLToPath(new URL(`children/${name}.ts`, import.meta.url)), [], environment)
}

/** Starts any TypeScript file. */
export function startFile(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const started = spawn(process.execPath, ['--conditions=@evtkit/source', '--import', loader, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let output = ''
  for (const stream of [started.stdout, started.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const { pid } = started
  if (pid === undefined) throw new Error(`no process could be made for ${file}`)
  const child: Child = {
    pid,
    get output() {
      return output
    },
    exited: new Promise((resolve) => {
      started.once('close', (code, signal) => {
        running.delete(child)
        resolve({ code, signal })
      })
    }),
    // Longer than other waits: a process first has to load its programs, on a machine that may be busy.
    said: (text) => vi.waitFor(() => expect(output).toContain(text), { timeout: 50_000, interval: 10 }),
    kill: (signal) => void started.kill(signal),
  }
  running.add(child)
  return child
}

afterAll(async () => {
  const left = [...running]
  // One that is stopped is killed all the same.
  for (const child of left) child.kill('SIGKILL')
  await Promise.all(left.map((child) => child.exited))
})
