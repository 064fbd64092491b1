import { isAlive } from '@evtkit/local-stack'
import { z } from 'zod'
import type { PartName } from './part.ts'
import { readEnding } from './part-process.ts'
import type { StackFolder } from './stack-folder.ts'
import type { PartState } from './stack-state.ts'

const ANSWER_TIMEOUT_MS = 3_000

/** How one member of the stack is doing. */
export type Health =
  | { readonly state: 'ready' }
  | { readonly state: 'not ready'; readonly reason: string }
  | { readonly state: 'dead'; readonly reason: string }
  | { readonly state: 'stopped' }
  /** A server that was named by the environment: its health is not ours to know. */
  | { readonly state: 'external'; readonly where: string }

export type PartHealth = Exclude<Health, { readonly state: 'external' }>

/** Looks at the process of a part and asks it whether it is ready. */
export async function readHealth(
  folder: StackFolder,
  part: PartName,
  state: PartState | undefined,
): Promise<PartHealth> {
  const running = state?.process
  if (state === undefined || running === undefined) return { state: 'stopped' }
  if (!(await isAlive(running))) {
    const ending = readEnding(folder, part, running.pid)
    return { state: 'dead', reason: ending.kind === 'exited' ? `exit code ${ending.code}` : 'killed' }
  }
  try {
    const response = await fetch(`http://127.0.0.1:${state.port}/readyz`, {
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    const text = await response.text()
    return response.ok ? { state: 'ready' } : { state: 'not ready', reason: unreadiness(response.status, text) }
  } catch (error) {
    return { state: 'not ready', reason: silence(error) }
  }
}

const answerSchema = z.object({
  pieces: z.array(z.object({ piece: z.string(), ready: z.boolean(), detail: z.string() })),
})

/** Why a part is not ready, in one line, from the answer it gave. */
export function unreadiness(status: number, body: string): string {
  try {
    const { pieces } = answerSchema.parse(JSON.parse(body))
    const waitedFor = pieces.filter((piece) => !piece.ready)
    if (waitedFor.length === 0) return 'starting'
    return waitedFor.map(({ piece, detail }) => (detail === '' ? piece : `${piece}: ${detail}`)).join('; ')
  } catch {
    return `it answered ${status}, which is no answer of a part of the shop`
  }
}

function silence(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${ANSWER_TIMEOUT_MS} ms`
  return 'no answer yet'
}
