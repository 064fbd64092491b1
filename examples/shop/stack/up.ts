import { mkdir } from 'node:fs/promises'
import { isAlive } from '@evtkit/local-stack'
import { defaultGraceMs, type Ports } from './arguments.ts'
import { createDatabases } from './databases.ts'
import { endStrays } from './end-strays.ts'
import { type PartName, partNames } from './part.ts'
import { endProcess } from './part-process.ts'
import { registerSchemas } from './schemas.ts'
import { provideServer } from './servers.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'
import { assignPorts, startPart, waitUntilReady } from './start-part.ts'
import { applyTopics } from './topics.ts'

export interface UpOptions {
  /** @default free ones */
  readonly ports?: Ports
  /** What facts are written as. @default as the last time, at first JSON */
  readonly codec?: 'json' | 'avro'
}

/**
 * Starts what does not run yet of the stack and resolves when everything is ready.
 *
 * @returns the base URL of the gateway
 * @throws LocalStackError when a server cannot be had, with what to install.
 * @throws StackError when a part does not come up, with the end of its log.
 */
export async function up(stack: Stack, { ports = {}, codec }: UpOptions = {}): Promise<string> {
  const begin = performance.now()
  await mkdir(stack.folder.path, { recursive: true })
  await endStrays(stack, defaultGraceMs)
  const before = addresses(stack)
  const { folder, state, progress } = stack
  const codecBefore = state.state.codec ?? 'json'
  state.change({ codec: codec ?? codecBefore })
  // Both are waited for even when one fails: what the other one did must be noted before this command ends.
  const ground = await Promise.allSettled([
    provideServer(folder, state, 'kafka', { progress, port: ports.kafka }).then(() => applyTopics(stack)),
    provideServer(folder, state, 'postgres', { progress, port: ports.postgres }).then(() =>
      createDatabases(state.state.postgres?.address ?? '', progress),
    ),
    needsRegistry(stack)
      ? provideServer(folder, state, 'registry', { progress, port: ports.registry }).then(() => registerSchemas(stack))
      : undefined,
  ])
  const failures: unknown[] = ground.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length > 1) throw new StackError(failures.map(messageOf).join('\n'))
  if (failures.length === 1) throw failures[0]
  if (before !== undefined && before !== addresses(stack)) await endParts(stack, 'the servers moved')
  else if (codecBefore !== state.state.codec) await endParts(stack, `they write ${state.state.codec} from now on`)
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

/** Who has written Avro once must be able to read it for as long as it is kept. */
function needsRegistry({ state }: Stack): boolean {
  return state.state.codec === 'avro' || state.state.registry !== undefined
}

function addresses(stack: Stack): string | undefined {
  const { kafka, postgres, registry } = stack.state.state
  return kafka && postgres && `${kafka.address} ${postgres.address} ${registry?.address ?? ''}`
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
