import { readFileSync } from 'node:fs'
import { Command } from 'commander'

/** How a command ends. The same numbers for every command, so that scripts can rely on them. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, checkFailed: 3, interrupted: 130 } as const

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

/** The `evt` command. */
export function createProgram(): Command {
  return new Command('evt')
    .description('The command for event-driven services on Apache Kafka: for the people who write, run and mend them.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText(
      'after',
      `
Exit codes:
  0    done
  1    failed, or found nothing
  2    wrong usage
  3    a check did not pass
  130  interrupted

Results go to standard output, progress and errors to standard error.`,
    )
    .configureOutput({ outputError: (text, write) => write(text) })
    .showHelpAfterError('Run evt --help to see what there is.')
    .exitOverride()
}
