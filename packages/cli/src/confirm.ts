import type { Invocation } from './command.ts'
import { usageError } from './command-error.ts'

/**
 * Asks a person before something is changed. `--yes` answers for them; where nobody can be asked, it is needed.
 *
 * @throws CommandError with the exit code of wrong usage when it is needed and missing
 */
export async function confirm(question: string, { options, output, signal }: Invocation): Promise<boolean> {
  if (options.yes === true) return true
  if (process.stdin.isTTY !== true || !process.stderr.isTTY || output.json)
    throw usageError(`${question} Nobody can be asked here`, 'look at what would be done, then add --yes')
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // While it reads keys, Ctrl-C is one of them.
  lines.on('SIGINT', () => process.emit('SIGINT'))
  // Ctrl-D: whoever leaves without an answer has not said yes.
  const left = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), left])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
