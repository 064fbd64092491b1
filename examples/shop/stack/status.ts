import { isServer, type MemberName, memberNames, type PartName, type ServerName } from './part.ts'
import { type Health, readHealth } from './part-health.ts'
import { attachServer, withoutPassword } from './servers.ts'
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
  return Promise.all(memberNames.map((name) => (isServer(name) ? serverStatus(stack, name) : partStatus(stack, name))))
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
  const common = { name, port: known?.port, restarts: known?.restarts ?? 0 }
  if (known?.origin === 'given') {
    const where = name === 'postgres' ? withoutPassword(known.address) : known.address
    return { ...common, pid: undefined, health: { state: 'given', where }, logFile: undefined }
  }
  const server = await attachServer(stack.folder, name)
  if (server === undefined) {
    const health: Health = known?.running ? { state: 'dead', reason: 'killed' } : { state: 'stopped' }
    return { ...common, pid: undefined, health, logFile: undefined }
  }
  return { ...common, pid: server.pid, port: server.port, health: { state: 'ready' }, logFile: server.logFile }
}

/** Whether all of the stack can do its work. */
export function isAllReady(members: readonly MemberStatus[]): boolean {
  return members.every(({ health }) => health.state === 'ready' || health.state === 'given')
}
