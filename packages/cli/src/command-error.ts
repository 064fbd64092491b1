import { type ExitCode, exitCodes } from './command.ts'

/** Why a command cannot do what was asked, in the words of the person who asked. */
export class CommandError extends Error {
  /** What to do, best as a command line. */
  readonly next: string | undefined
  readonly exitCode: ExitCode

  constructor(
    message: string,
    options: { readonly next?: string; readonly exitCode?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.next = options.next
    this.exitCode = options.exitCode ?? exitCodes.failed
  }
}

/** The command line itself is wrong: exit code 2. */
export function usageError(message: string, next?: string): CommandError {
  return new CommandError(message, { exitCode: exitCodes.usage, ...(next !== undefined && { next }) })
}
