/** `npm run stack`: the shop as operating-system processes on a real Kafka and PostgreSQL. */
import { LocalStackError } from '@evtkit/local-stack'
import pc from 'picocolors'
import { parseArguments, type StackCommand } from './arguments.ts'
import { down } from './down.ts'
import { kill } from './kill.ts'
import { restart } from './restart.ts'
import { openStack, type StackOptions, withStack } from './stack.ts'
import { StackError, UsageError } from './stack-error.ts'
import { isAllReady, readStatus } from './status.ts'
import { statusTable } from './status-table.ts'
import { usage } from './usage.ts'
import { welcome } from './welcome.ts'

const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

const print = (text: string) => process.stdout.write(`${text}\n`)
const complain = (text: string) => process.stderr.write(`${text}\n`)

async function run(command: StackCommand): Promise<number> {
  const options: StackOptions = { data: command.data }
  switch (command.command) {
    case 'help':
      process.stdout.write(usage)
      return exitCodes.ok
    case 'up':
      return withStack(options, async (stack) => {
        // The clients of Kafka and the shop's contracts take a while to load; the other commands do without.
        const { up } = await import('./up.ts')
        await up(stack, command)
        print(welcome(stack, pc))
        return exitCodes.ok
      })
    case 'status': {
      const members = await readStatus(openStack(options))
      if (command.json) print(JSON.stringify({ ready: isAllReady(members), members }))
      else print(statusTable(members, pc, process.cwd()))
      return isAllReady(members) ? exitCodes.ok : exitCodes.failed
    }
    case 'down':
      return withStack(options, async (stack) => {
        await down(stack, command)
        return exitCodes.ok
      })
    case 'restart':
      return withStack(options, async (stack) => {
        await restart(stack, command.member, command.graceMs)
        return exitCodes.ok
      })
    case 'kill':
      return withStack(options, async (stack) => {
        const pid = await kill(stack, command.member, command.signal)
        stack.progress(`Sent ${command.signal} to ${command.member} (process ${pid}).`)
        return exitCodes.ok
      })
    case 'order': {
      const { order } = await import('./order.ts')
      const { exitCodeOf, formatSummary, jsonSummary } = await import('../demo/summary.ts')
      const report = await order(openStack(options), command)
      print(formatSummary(report, pc))
      if (command.json) print(jsonSummary(report))
      return exitCodeOf(report)
    }
  }
}

// What was started is noted and goes on; the next `up` or `down` finds it.
process.once('SIGINT', () => {
  complain('Interrupted. What was started goes on; "npm run stack -- down" ends it.')
  process.exit(exitCodes.interrupted)
})

try {
  process.exitCode = await run(parseArguments(process.argv.slice(2), process.env))
} catch (error) {
  if (error instanceof UsageError) {
    complain(`${error.message}\n"npm run stack -- --help" shows what there is.`)
    process.exitCode = exitCodes.usage
  } else if (error instanceof StackError || error instanceof LocalStackError) {
    complain(pc.red(error.message))
    process.exitCode = exitCodes.failed
  } else {
    throw error
  }
}
