import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort, identifyProcess, isAlive, isPortFree, requireFreePort } from '@evtkit/local-stack'
import type { Ports } from './arguments.ts'
import { type PartName, partNames } from './part.ts'
import { partEnvironment } from './part-environment.ts'
import { type Health, readHealth } from './part-health.ts'
import { spawnPart } from './part-process.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { logFile } from './stack-folder.ts'
import type { PartState } from './stack-state.ts'

const READY_TIMEOUT_MS = 90_000
const POLL_MS = 100
const PATIENCE_MS = 5_000
const LINES_OF_LOG = 20

/** Gives every part that does not run a port: the named one, else the one of the last time, else a free one. */
export async function assignPorts(stack: Stack, ports: Ports): Promise<void> {
  for (const name of partNames) {
    const known = stack.state.part(name)
    if (known?.process !== undefined && (await isAlive(known.process))) continue
    const named = ports[name]
    const port = named === undefined ? await freePort(known?.port) : await requireFreePort(named, `The ${name}`)
    const smtpPort = name === 'mail-sink' ? await freePort(known?.smtpPort) : undefined
    stack.state.changePart(name, { restarts: 0, ...known, port, ...(smtpPort !== undefined && { smtpPort }) })
  }
}

async function freePort(previous: number | undefined): Promise<number> {
  return previous !== undefined && (await isPortFree(previous)) ? previous : findFreePort()
}

/** Starts the process of a part and notes it in the state. Does not wait until it is ready. */
export async function startPart(stack: Stack, name: PartName): Promise<void> {
  const known = stack.state.part(name)
  if (known === undefined) throw new StackError(`The stack has no port for ${name}: run "npm run stack up" first.`)
  const pid = spawnPart(name, stack.folder, stack.program, partEnvironment(name, stack.state.state, stack.folder))
  const identity = await identifyProcess(pid)
  const restarts = known.process === undefined ? known.restarts : known.restarts + 1
  const started: PartState = {
    ...known,
    restarts,
    process: { pid, started: identity?.started ?? 'ended at once', startedAt: new Date().toISOString() },
  }
  stack.state.changePart(name, started)
}

/**
 * Resolves when all named parts say that they are ready.
 *
 * @throws StackError with the end of its log when a part has ended or takes too long.
 */
export async function waitUntilReady(
  stack: Stack,
  names: readonly PartName[],
  timeoutMs = READY_TIMEOUT_MS,
): Promise<void> {
  // The first failure is the last word: no other part is waited for then.
  const failed = new AbortController()
  const waiting = names.map((name) =>
    waitForPart(stack, name, timeoutMs, failed.signal).catch((error: unknown) => {
      failed.abort()
      throw error
    }),
  )
  await Promise.all(waiting)
}

async function waitForPart(stack: Stack, name: PartName, timeoutMs: number, failed: AbortSignal): Promise<void> {
  const begin = performance.now()
  let tellAtMs = PATIENCE_MS
  for (let asked = 1; !failed.aborted; asked++) {
    const part = stack.state.part(name)
    const health = await readHealth(stack.folder, name, part)
    const elapsedMs = performance.now() - begin
    if (health.state === 'ready') {
      // Ready at the first question: it ran before, and that has been said.
      if (asked === 1) return
      const where = `http://127.0.0.1:${part?.port} (process ${part?.process?.pid})`
      stack.progress(`${name} is ready on ${where} after ${(elapsedMs / 1000).toFixed(1)} s.`)
      return
    }
    if (health.state === 'dead' || health.state === 'stopped')
      throw failure(stack, name, 'ended before it was ready', health)
    if (elapsedMs > timeoutMs) throw failure(stack, name, `was not ready after ${timeoutMs / 1000} s`, health)
    if (elapsedMs > tellAtMs) {
      tellAtMs = elapsedMs + PATIENCE_MS
      stack.progress(`${name} is not ready yet: ${health.reason}`)
    }
    await sleep(POLL_MS)
  }
}

function failure(stack: Stack, name: PartName, what: string, health: Health): StackError {
  const file = logFile(stack.folder, name)
  const reason = 'reason' in health ? ` (${health.reason})` : ''
  return new StackError(`${name} ${what}${reason}. The end of its log, ${file}:\n${endOfLog(file)}`)
}

function endOfLog(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LINES_OF_LOG).join('\n')
  } catch {
    return '(there is none)'
  }
}
