import { type Clock, pause } from '../core/clock.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Sender } from '../core/transport.ts'
import type { DeadLetter } from './dead-letter.ts'
import { claimMs, type DeadLetterLog } from './dead-letter-log.ts'
import type { DeadLetterReader } from './dead-letter-reader.ts'
import { type Mark, noteRecord } from './dead-letter-record.ts'

/** A dead letter of a plan that was left as it is, and why. */
export interface LeftAlone {
  readonly id: string
  readonly because: 'decided meanwhile' | 'died again meanwhile' | 'another run has it' | 'could not be written'
  readonly error?: Error
}

/** Something that is done to dead letters, once each. */
export interface DeadLetterRun {
  readonly id: string
  readonly kind: 'redriven' | 'discarded'
  readonly by: string
  readonly reason: string
  /** What has to be done before a letter is marked. */
  act(letter: DeadLetter): Promise<void>
}

/** A dead letter as somebody saw it. */
type Meant = Pick<DeadLetter, 'id' | 'at'>

export interface RunParts {
  readonly transport: Sender
  readonly group: string
  readonly clock: Clock
  readonly log: DeadLetterLog
  readonly reader: DeadLetterReader
}

/** Most letters that are claimed at once. */
const longestChunk = 100

/** Does to each of `letters` what the run is for, if nobody else does or did, at `ratePerSecond` at most. */
export async function carryOut(
  parts: RunParts,
  letters: readonly Meant[],
  run: DeadLetterRun,
  ratePerSecond: number,
): Promise<{ readonly done: number; readonly leftAlone: readonly LeftAlone[] }> {
  const size = Math.max(1, Math.min(longestChunk, Math.floor(ratePerSecond)))
  const leftAlone: LeftAlone[] = []
  let done = 0
  for (let from = 0; from < letters.length; from += size) {
    if (from > 0 && ratePerSecond !== Number.POSITIVE_INFINITY) await pause(parts.clock, (size * 1000) / ratePerSecond)
    const chunk = letters.slice(from, from + size)
    const left = await doChunk(parts, chunk, run)
    leftAlone.push(...left)
    done += chunk.length - left.length
    // What hinders one letter, such as an outage, most often hinders the next; those that were not begun stay as they are.
    if (left.some(({ because }) => because === 'could not be written')) break
  }
  return { done, leftAlone }
}

/** Claims, acts, marks. Returns those it left alone. */
async function doChunk(parts: RunParts, chunk: readonly Meant[], run: DeadLetterRun): Promise<LeftAlone[]> {
  const { transport, reader, log, clock, group } = parts
  await reader.caughtUp()
  const claimedAt = clock.now()
  const left: LeftAlone[] = []
  const mine = (claims: boolean) => {
    const found: DeadLetter[] = []
    for (const { id, at } of chunk) {
      if (left.some((one) => one.id === id)) continue
      const letter = log.find(id)
      const claimant = log.claimant(id, claimedAt)
      if (letter === undefined) left.push({ id, because: 'decided meanwhile' })
      else if (letter.at !== at) left.push({ id, because: 'died again meanwhile' })
      else if (claimant !== (claims ? run.id : undefined)) left.push({ id, because: 'another run has it' })
      else found.push(letter)
    }
    return found
  }
  const mark = (kind: Mark['kind'], letters: readonly DeadLetter[], at: number) =>
    transport.send(
      letters.map((letter) =>
        noteRecord(group, { kind, letter: letter.id, offset: String(letter.at), run: run.id, at }),
      ),
    )

  const free = mine(false)
  if (free.length === 0) return left
  const began = clock.monotonic()
  await mark('claimed', free, claimedAt)
  // Of several claims the first in the topic holds, and all who read it agree on which that is.
  await reader.caughtUp()
  const claimed = mine(true)
  if (clock.monotonic() - began > claimMs / 2)
    return [...left, ...claimed.map(({ id }): LeftAlone => ({ id, because: 'another run has it' }))]
  const acts = await Promise.allSettled(claimed.map((letter) => run.act(letter)))
  await failpoint('retry.redriven')
  const acted: DeadLetter[] = []
  for (const [i, letter] of claimed.entries()) {
    const act = acts[i]
    if (act?.status === 'fulfilled') acted.push(letter)
    else left.push({ id: letter.id, because: 'could not be written', error: errorOf(act?.reason) })
  }
  if (acted.length > 0) await mark(run.kind, acted, clock.now())
  return left
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
