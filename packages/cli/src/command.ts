import type { Option } from 'commander'
import type { Output } from './output.ts'
import type { Settings } from './settings.ts'

/** How a command ends. The same numbers for every command, so that scripts can rely on them. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, checkFailed: 3, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a command was called with, and what it may use. */
export interface Invocation {
  /** Positional arguments; a variadic one takes the rest. */
  readonly args: readonly string[]
  /** Options by camel-cased name, as commander gives them: unknown until the command has looked. */
  readonly options: Readonly<Record<string, unknown>>
  readonly output: Output
  /** The config file, the environment and the global options together; read at the first call. */
  settings(): Promise<Settings>
  /** Aborted by Ctrl-C. What does not end soon after is ended. */
  readonly signal: AbortSignal
}

/** One command. Everything that help, completion and `docs/cli.md` say of it is here. */
export interface CommandSpec {
  /** Its words, such as `schema check`. */
  readonly path: string
  /** One line, without a full stop. */
  readonly summary: string
  /** What a person needs to know before using it; paragraphs, plain text. */
  readonly description?: string
  /** In commander's form, such as `['[events...]', 'only these']`. */
  readonly args?: readonly (readonly [form: string, says: string])[]
  /** Besides the global ones, which every command has; one of the same name takes the place of a global one. */
  readonly options?: readonly Option[]
  /** What the shell completes its arguments with. */
  readonly completes?: 'events' | 'topics'
  /** At least one, each a command line and what it does. */
  readonly examples: readonly (readonly [line: string, says: string])[]
  /** Loads what it needs by `import()`, so that help stays fast. Resolves with the exit code. */
  run(invocation: Invocation): Promise<ExitCode>
}
