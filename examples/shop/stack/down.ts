import { rm, rmdir } from 'node:fs/promises'
import { isAlive } from '@evtkit/local-stack'
import { endStrays } from './end-strays.ts'
import { outsideNames, type PartName, serverNames, serviceNames } from './part.ts'
import { endProcess, readEnding } from './part-process.ts'
import { locateServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { findStackProcesses } from './stray-process.ts'

export interface DownOptions {
  /** How long a part may take to end before SIGKILL. Milliseconds. */
  readonly graceMs: number
  /** Whether to remove what the stack wrote. @default false */
  readonly clean?: boolean
}

/**
 * Ends the services, then what stands in for the world outside, then the servers, and makes sure that nothing is left.
 *
 * @throws StackError when a process of the stack is still there in the end.
 */
export async function down(stack: Stack, options: DownOptions): Promise<void> {
  await endStrays(stack, options.graceMs)
  // The gateway first: whoever still orders is told at once, and what was accepted is carried on after the next start.
  await endPart(stack, 'gateway', options.graceMs)
  await Promise.all(serviceNames.map((name) => endPart(stack, name, options.graceMs)))
  await Promise.all(outsideNames.map((name) => endPart(stack, name, options.graceMs)))
  await Promise.all(
    serverNames.map(async (name) => {
      const server = await locateServer(stack.folder, name)
      if (server !== undefined && server.origin !== 'external') {
        stack.progress(`Stopping ${name}${server.origin === 'process' ? ` (process ${server.pid})` : ''} ...`)
        // The files of PostgreSQL may lie outside the folder; only it knows where.
        await server.stop({ removeData: options.clean ?? false })
      }
      const known = stack.state.state[name]
      if (known !== undefined) stack.state.change({ [name]: { ...known, running: false, restarts: 0 } })
    }),
  )
  const left = await findStackProcesses(stack.folder)
  if (left.length > 0) {
    const list = left.map(({ pid, member }) => `${member} (process ${pid})`).join(', ')
    throw new StackError(`Still running after the end: ${list}. Run "npm run stack -- down" again.`)
  }
  if (options.clean) await clean(stack)
  stack.progress('Nothing of the stack runs any more.')
}

/** Ends the process of a part and says how it went. */
export async function endPart(stack: Stack, name: PartName, graceMs: number): Promise<void> {
  const known = stack.state.part(name)
  if (known?.process === undefined) return
  const { process: running, ...rest } = known
  if (!(await isAlive(running))) {
    stack.progress(`${name} had ended already (${inWords(readEnding(stack.folder, name, running.pid))}).`)
  } else {
    const begin = performance.now()
    const result = await endProcess(running, graceMs)
    const elapsed = `${((performance.now() - begin) / 1000).toFixed(1)} s`
    const ending = inWords(readEnding(stack.folder, name, running.pid))
    stack.progress(
      result === 'forced'
        ? `Warning: ${name} did not end within ${graceMs} ms and was killed (process ${running.pid}).`
        : `${name} ended after ${elapsed} (${ending}).`,
    )
  }
  stack.state.changePart(name, { ...rest, restarts: 0 })
}

function inWords(ending: ReturnType<typeof readEnding>): string {
  return ending.kind === 'exited' ? `exit code ${ending.code}` : 'killed'
}

/** Removes what the stack wrote, and the folder itself only when nothing else lies in it. */
async function clean(stack: Stack): Promise<void> {
  const { folder } = stack
  for (const path of [
    folder.kafka,
    folder.postgres,
    folder.registry,
    folder.logs,
    folder.exits,
    folder.outside,
    folder.stateFile,
  ]) {
    await rm(path, { recursive: true, force: true })
  }
  try {
    await rmdir(folder.path)
    stack.progress(`Removed ${folder.path}.`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    if (error.code === 'ENOTEMPTY') stack.progress(`Kept ${folder.path}: it holds files that the stack did not write.`)
    else if (error.code !== 'ENOENT') throw error
  }
}
