import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as after } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { type Progress, printProgress, withFileLock } from '@evtkit/local-stack'
import type { PartProgram } from './part-process.ts'
import { type StackFolder, stackFolder } from './stack-folder.ts'
import { StateFile } from './stack-state.ts'

const SILENT_WAIT_MS = 500

/** What every command of the stack works with. */
export interface Stack {
  readonly folder: StackFolder
  readonly state: StateFile
  readonly program: PartProgram
  readonly progress: Progress
}

export interface StackOptions {
  /** @default `.evtkit/stack` in the checkout */
  readonly data?: string | undefined
  /** @default the environment of this process */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** The TypeScript file that runs a part, given its name. @default the one of the shop */
  readonly programFile?: string
  /** @default lines on standard error */
  readonly progress?: Progress
}

/** The stack of a folder as it is now, for looking at it. */
export function openStack(options: StackOptions = {}): Stack {
  const folder = stackFolder(options.data)
  const progress = options.progress ?? printProgress
  const state = new StateFile(folder.stateFile)
  if (state.problem !== undefined) progress(state.problem)
  return {
    folder,
    state,
    program: {
      file: options.programFile ?? fileURLToPath(new URL('../process/main.ts', import.meta.url)),
      environment: options.environment ?? process.env,
    },
    progress,
  }
}

/** Changes the stack of a folder while no other command does. */
export async function withStack<T>(options: StackOptions, work: (stack: Stack) => Promise<T>): Promise<T> {
  const { lockFile } = stackFolder(options.data)
  const progress = options.progress ?? printProgress
  await mkdir(dirname(lockFile), { recursive: true })
  const notice = after(
    () => progress('Another command is at work on this stack; waiting until it is done ...'),
    SILENT_WAIT_MS,
  )
  try {
    return await withFileLock(lockFile, () => {
      clearTimeout(notice)
      return work(openStack(options))
    })
  } finally {
    clearTimeout(notice)
  }
}
