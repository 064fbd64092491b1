import { CommanderError } from 'commander'
import { createProgram, exitCodes } from './program.ts'

// A reader that has seen enough (`evt … | head`) closes the pipe: that is its right, and no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCodes.ok)
})

try {
  const program = createProgram()
  if (process.argv.length <= 2) program.outputHelp()
  await program.parseAsync(process.argv)
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help and version end here too, with the exit code 0.
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
}
