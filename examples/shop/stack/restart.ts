import { endPart } from './down.ts'
import { isServer, type MemberName } from './part.ts'
import { locateServer, provideServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { startPart, waitUntilReady } from './start-part.ts'

/** Ends one member of the stack in an orderly way if it runs, starts it on the same port, and waits until it is ready. */
export async function restart(stack: Stack, member: MemberName, graceMs: number): Promise<void> {
  if (!isServer(member)) {
    const restarts = stack.state.part(member)?.restarts ?? 0
    const had = stack.state.part(member)?.process !== undefined
    await endPart(stack, member, graceMs)
    const part = stack.state.part(member)
    if (part !== undefined) stack.state.changePart(member, { ...part, restarts: had ? restarts + 1 : restarts })
    await startPart(stack, member)
    await waitUntilReady(stack, [member])
    return
  }
  const server = await locateServer(stack.folder, member)
  if (server === undefined) {
    await provideServer(stack.folder, stack.state, member, { progress: stack.progress })
  } else if (server.origin === 'process') {
    stack.progress(`Restarting ${member} (process ${server.pid}) ...`)
    await server.restart()
    const known = stack.state.state[member]
    if (known !== undefined) stack.state.change({ [member]: { ...known, restarts: known.restarts + 1 } })
  } else {
    throw new StackError(`${member} is not a process of this stack, so it is not restarted here.`)
  }
  stack.progress(`${member} serves again.`)
}
