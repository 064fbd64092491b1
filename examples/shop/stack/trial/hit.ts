import type { PartName } from '../part.ts'
import type { Ending } from '../part-process.ts'
import type { InFlight } from './in-flight.ts'

/** One signal to one part while orders flowed, and what the part had on its hands. */
export interface Hit {
  readonly part: PartName
  readonly signal: NodeJS.Signals
  /** From the signal to the end of the process. Milliseconds. */
  readonly endedInMs: number
  readonly ending: Ending
  /** Orders that had not ended. */
  readonly outstanding: number
  /** Requests to the gateway that had no answer. */
  readonly openRequests: number
  /** Of a service: what it left in the broker and its database. */
  readonly inFlight: InFlight | undefined
}

/** Whether a hit met the part at work, so that surviving it means something. */
export function metLiveWork({ inFlight, openRequests, outstanding }: Hit): boolean {
  const held = inFlight === undefined ? openRequests : inFlight.uncommitted.length + inFlight.unsent
  return held > 0 && outstanding > 0
}

/** The hits for people, one line each. */
export function hitTable(hits: readonly Hit[], handledAgain: (hit: Hit) => number): string {
  const rows = hits.map((hit) => [
    hit.part,
    hit.signal,
    hit.ending.kind === 'exited' ? `exit code ${hit.ending.code}` : 'killed',
    `${hit.endedInMs} ms`,
    String(hit.outstanding),
    hit.inFlight ? String(hit.inFlight.uncommitted.length) : '-',
    hit.inFlight ? String(hit.inFlight.unsent) : '-',
    String(hit.openRequests),
    hit.inFlight ? String(handledAgain(hit)) : '-',
  ])
  const headings = [
    'part',
    'signal',
    'ended',
    'within',
    'orders open',
    'records',
    'unsent',
    'requests',
    'handled again',
  ]
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
