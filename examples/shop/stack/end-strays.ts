import { attachApicurio, attachKafka, attachPostgres, identifyProcess } from '@evtkit/local-stack'
import { partNames } from './part.ts'
import { endProcess } from './part-process.ts'
import type { Stack } from './stack.ts'
import { findStackProcesses, type StackProcess } from './stray-process.ts'

/**
 * Ends the processes of the stack that its state does not know: left by a command that was killed between starting a
 * process and noting it, or by a state file that was lost.
 */
export async function endStrays(stack: Stack, graceMs: number): Promise<void> {
  await Promise.all(
    (await findStrays(stack)).map(async ({ pid, member }) => {
      const identity = await identifyProcess(pid)
      if (identity === undefined) return
      stack.progress(`Ending ${member} (process ${pid}): it belongs to this stack, but its state does not know it.`)
      await endProcess(identity, graceMs)
    }),
  )
}

async function findStrays(stack: Stack): Promise<StackProcess[]> {
  const found = await findStackProcesses(stack.folder)
  if (found.length === 0) return []
  const { kafka, postgres, registry } = stack.folder
  const servers = await Promise.all([attachKafka(kafka), attachPostgres(postgres), attachApicurio(registry)])
  const known = new Set([
    ...partNames.map((name) => stack.state.part(name)?.process?.pid),
    ...servers.map((server) => server?.pid),
  ])
  return found.filter(({ pid }) => !known.has(pid))
}
