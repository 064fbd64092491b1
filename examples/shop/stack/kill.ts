import { isServer, type MemberName } from './part.ts'
import { signalProcess, waitUntilGone } from './part-process.ts'
import { locateServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'

const GONE_WITHIN_MS = 10_000

/**
 * Sends a signal to one member of the stack; after SIGKILL it is gone when this resolves.
 *
 * @returns the id of the process
 * @throws StackError when it does not run.
 */
export async function kill(stack: Stack, member: MemberName, signal: NodeJS.Signals): Promise<number> {
  if (isServer(member)) {
    const server = await locateServer(stack.folder, member)
    if (server?.origin !== 'process') throw notRunning(member)
    await server.kill(signal)
    return server.pid
  }
  const running = stack.state.part(member)?.process
  if (running === undefined || !(await signalProcess(running, signal))) throw notRunning(member)
  if (signal === 'SIGKILL') await waitUntilGone(running, GONE_WITHIN_MS)
  return running.pid
}

function notRunning(member: MemberName): StackError {
  return new StackError(`${member} does not run as a process of this stack. "npm run stack -- status" shows what does.`)
}
