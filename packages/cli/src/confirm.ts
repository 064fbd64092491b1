import type { Invocation } from './command.ts'
import { usageError } from './command-error.ts'

/** Where a person is asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
  /** Does what Ctrl-C does where no question is open. */
  readonly interrupt: () => void
}

/**
 * Asks a person before something is changed. `--yes` answers for them; where nobody can be asked, it is needed.
 *
 * @throws CommandError with the exit code of wrong usage when it is needed and missing
 */
export async function confirm(
  question: string,
  { options, output, signal }: Pick<Invocation, 'options' | 'output' | 'signal'>,
  terminal: Terminal = { input: process.stdin, output: process.stderr, interrupt: () => process.emit('SIGINT') },
): Promise<boolean> {
  if (options.yes === true) return true
  if (terminal.input.isTTY !== true || terminal.output.isTTY !== true || output.json)
    throw usageError(`${question} Nobody can be asked here`, 'look at what would be done, then add --yes')
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: terminal.input, output: terminal.output })
  // While it reads keys, Ctrl-C is one of them.
  lines.on('SIGINT', terminal.interrupt)
  // Ctrl-D: whoever leaves without an answer has not said yes.
  const left = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), left])
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    // Newer versions of Node reject the question when it is left.
    if (signal.aborted) throw error
    return false
  } finally {
    lines.close()
  }
}
