import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { ChildServer, type ServerCommand } from './child-server.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** What a running server writes beside its data, so that another process can find, check and stop it. */
export interface ServerState<Details> {
  readonly identity: ProcessIdentity
  readonly startedAt: string
  readonly command: ServerCommand
  /** What only this kind of server has: ports, folders. */
  readonly details: Details
}

/** Replaces the state file in one step: a reader sees the old state or the new one. */
export async function writeServerState<Details>(
  stateFile: string,
  server: ChildServer,
  details: Details,
): Promise<void> {
  const state: ServerState<Details> = {
    identity: server.identity,
    startedAt: server.startedAt.toISOString(),
    command: server.command,
    details,
  }
  const draft = `${stateFile}.${process.pid}.new`
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`)
  await rename(draft, stateFile)
}

/** The server of a state file and its details; undefined when there is no file or its process has ended. */
export async function attachServer<Details>(
  stateFile: string,
): Promise<{ server: ChildServer; details: Details } | undefined> {
  let text: string
  try {
    text = await readFile(stateFile, 'utf8')
  } catch {
    return undefined
  }
  // Written by `writeServerState` with the details of the same kind of server: each kind has a file name of its own.
  const state = JSON.parse(text) as ServerState<Details>
  const server = ChildServer.attach(state.command, state.identity, new Date(state.startedAt))
  return (await server.isAlive()) ? { server, details: state.details } : undefined
}

export function removeServerState(stateFile: string): Promise<void> {
  return rm(stateFile, { force: true })
}
