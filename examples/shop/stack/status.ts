import { isServer, type MemberName, memberNames, type PartName, type ServerName } from './part.ts'
import { type Health, readHealth } from './part-health.ts'
import { forPeople, locateServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { logFile } from './stack-folder.ts'

/** One line of the status: a member of the stack and how it does. */
export interface MemberStatus {
  readonly name: MemberName
  readonly pid: number | undefined
  readonly port: number | undefined
  readonly health: Health
  readonly restarts: number
  readonly logFile: string | undefined
}

/** Looks at every member of the stack. */
export function readStatus(stack: Stack): Promise<MemberStatus[]> {
  const { registry } = stack.state.state
  const members = memberNames.filter((name) => name !== 'registry' || registry !== undefined)
  return Promise.all(members.map((name) => (isServer(name) ? serverStatus(stack, name) : partStatus(stack, name))))
}

async function partStatus(stack: Stack, name: PartName): Promise<MemberStatus> {
  const part = stack.state.part(name)
  const health = await readHealth(stack.folder, name, part)
  return {
    name,
    pid: part?.process?.pid,
    port: part?.port,
    health,
    restarts: part?.restarts ?? 0,
    logFile: part && logFile(stack.folder, name),
  }
}

async function serverStatus(stack: Stack, name: ServerName): Promise<MemberStatus> {
  const known = stack.state.state[name]
  const common = { name, pid: undefined, port: known?.port, restarts: known?.restarts ?? 0, logFile: undefined }
  // A named one is known only from the last `up`: the environment of this command may name another one.
  if (known?.origin === 'external' && known.running) {
    return { ...common, health: { state: 'external', where: forPeople(known.address) } }
  }
  const server = await locateServer(stack.folder, name)
  if (server === undefined || server.origin === 'external') {
    return { ...common, health: known?.running ? { state: 'dead', reason: 'killed' } : { state: 'stopped' } }
  }
  const ready = { ...common, port: server.port, health: { state: 'ready' } } as const
  return server.origin === 'process' ? { ...ready, pid: server.pid, logFile: server.logFile } : ready
}

/** Whether all of the stack can do its work. */
export function isAllReady(members: readonly MemberStatus[]): boolean {
  return members.every(({ health }) => health.state === 'ready' || health.state === 'external')
}
