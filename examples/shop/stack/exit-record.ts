/** Loaded into each part of the stack before its program: notes the exit code, which nobody else is there to receive. */
import { writeFileSync } from 'node:fs'

const file = process.env.STACK_EXIT_FILE
if (file !== undefined) {
  process.on('exit', (code) => {
    try {
      writeFileSync(file, `${process.pid} ${code}\n`)
    } catch {
      // The folder of the stack is gone: then nobody asks.
    }
  })
}
