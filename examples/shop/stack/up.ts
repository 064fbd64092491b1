import { mkdir } from 'node:fs/promises'
import { isAlive } from '@evtkit/local-stack'
import { defaultGraceMs, type Ports } from './arguments.ts'
import { createDatabases } from './databases.ts'
import { endStrays } from './end-strays.ts'
import { type PartName, partNames } from './part.ts'
import { endProcess } from './part-process.ts'
import { provideServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { assignPorts, startPart, waitUntilReady } from './start-part.ts'
import { createTopics } from './topics.ts'

/**
 * Starts what does not run yet of the stack and resolves when everything is ready.
 *
 * @returns the base URL of the gateway
 * @throws LocalStackError when a server cannot be had, with what to install.
 * @throws StackError when a part does not come up, with the end of its log.
 */
export async function up(stack: Stack, ports: Ports = {}): Promise<string> {
  const begin = performance.now()
  await mkdir(stack.folder.path, { recursive: true })
  await endStrays(stack, defaultGraceMs)
  const before = addresses(stack)
  const { folder, state, progress } = stack
  // Both are waited for even when one fails: what the other one did must be noted before this command ends.
  const ground = await Promise.allSettled([
    provideServer(folder, state, 'kafka', { progress, port: ports.kafka }).then(() => createTopics(stack)),
    provideServer(folder, state, 'postgres', { progress, port: ports.postgres }).then(() =>
      createDatabases(state.state.postgres?.address ?? '', progress),
    ),
  ])
  const failures: unknown[] = ground.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length > 1) throw new StackError(failures.map(messageOf).join('\n'))
  if (failures.length === 1) throw failures[0]
  if (before !== undefined && before !== addresses(stack)) await endParts(stack, 'the servers moved')
  await assignPorts(stack, ports)
  const missing: PartName[] = []
  for (const name of partNames) {
    const known = stack.state.part(name)?.process
    if (known !== undefined && (await isAlive(known))) stack.progress(`${name} runs already (process ${known.pid}).`)
    else missing.push(name)
  }
  if (missing.length > 0) stack.progress(`Starting ${missing.join(', ')} ...`)
  for (const name of missing) await startPart(stack, name)
  await waitUntilReady(stack, partNames)
  stack.progress(`Everything is ready after ${((performance.now() - begin) / 1000).toFixed(1)} s.`)
  return `http://127.0.0.1:${stack.state.part('gateway')?.port}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function addresses(stack: Stack): string | undefined {
  const { kafka, postgres } = stack.state.state
  return kafka && postgres && `${kafka.address} ${postgres.address}`
}

/** Parts hold the addresses they were started with. */
async function endParts(stack: Stack, why: string): Promise<void> {
  await Promise.all(
    partNames.map(async (name) => {
      const known = stack.state.part(name)?.process
      if (known === undefined || !(await isAlive(known))) return
      stack.progress(`Ending ${name} (process ${known.pid}) to start it anew: ${why}.`)
      await endProcess(known, defaultGraceMs)
    }),
  )
}
