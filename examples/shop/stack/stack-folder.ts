import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PartName } from './part.ts'

/** The checkout that holds the shop. */
export const checkout = fileURLToPath(new URL('../../..', import.meta.url))

/** Where everything of one stack lies. */
export interface StackFolder {
  readonly path: string
  readonly stateFile: string
  /** Beside the folder, so that the folder can be removed by who holds the lock. */
  readonly lockFile: string
  readonly logs: string
  /** Where parts note how they ended. */
  readonly exits: string
  /** What the world outside remembers: the ledger of the payment provider, the mails. */
  readonly outside: string
  readonly kafka: string
  readonly postgres: string
  readonly registry: string
}

/** @param path the folder of the stack. @default `.evtkit/stack` in the checkout */
export function stackFolder(path: string = join(checkout, '.evtkit', 'stack')): StackFolder {
  const root = resolve(path)
  return {
    path: root,
    stateFile: join(root, 'state.json'),
    lockFile: `${root}.lock`,
    logs: join(root, 'logs'),
    exits: join(root, 'exits'),
    outside: join(root, 'outside'),
    kafka: join(root, 'kafka'),
    postgres: join(root, 'postgres'),
    registry: join(root, 'registry'),
  }
}

export function logFile(folder: StackFolder, part: PartName): string {
  return join(folder.logs, `${part}.log`)
}

export function exitFile(folder: StackFolder, part: PartName): string {
  return join(folder.exits, part)
}
