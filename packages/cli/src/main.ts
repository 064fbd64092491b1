import { exitCodes } from './command.ts'
import { commands } from './commands/index.ts'
import { runCommandLine } from './run-command.ts'

/** How long a command may take to end after Ctrl-C. Milliseconds. */
const graceMs = 800

// A reader that has seen enough (`evt … | head`) closes the pipe: that is its right, and no failure of ours. The command
// goes on to its end, and says by its exit code how that was.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

const interrupt = new AbortController()
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(exitCodes.interrupted)
  interrupt.abort(new Error('interrupted'))
  setTimeout(() => process.exit(exitCodes.interrupted), graceMs).unref()
})

const code = await runCommandLine({
  specs: commands,
  argv: process.argv.slice(2),
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interrupt.signal,
})
process.exitCode = code
// What was printed must be out before the end, and what a command forgot to close must not hold it up.
const flushed = [process.stdout, process.stderr].map(
  (stream) => new Promise<void>((done) => stream.write('', () => done())),
)
await Promise.all(flushed)
process.exit(code)
