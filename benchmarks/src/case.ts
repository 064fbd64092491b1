import type { Servers } from './servers.ts'

/** What one contender did in one round. */
export interface Sample {
  readonly messages: number
  readonly elapsedMs: number
  /** CPU time of this process, user and system. Microseconds. */
  readonly cpuMicros: number
  /** How long single messages took, where the case looks at that. */
  readonly latency?: { readonly p50Ms: number; readonly p99Ms: number }
  /** Resident memory of a process that did nothing else. Megabytes. */
  readonly memory?: { readonly plateauMb: number; readonly peakMb: number }
}

/** How a round is to be run. */
export interface Round {
  /** 0 for the warm-up, which is not counted. */
  readonly number: number
  /** For contenders that run for a time instead of a number of messages. */
  readonly durationMs: number
}

/** One way of doing the job: ours, or a peer's. */
export interface Contender {
  readonly name: string
  /** Bytes of one message's key, value and headers as this contender writes them. */
  readonly bytesPerMessage?: number
  /** Runs one round; what it needs to prepare happens outside of what it measures. */
  run(round: Round): Promise<Sample>
}

/** What a contender has to reach. */
export type Target =
  /** Compared with the baseline, or with the contender named in `to`. */
  | { readonly contender: string; readonly measure: 'ratio'; readonly atLeast: number; readonly to?: string }
  | { readonly contender: string; readonly measure: 'perSecond'; readonly atLeast: number }
  | { readonly contender: string; readonly measure: 'p50Ms' | 'peakMb'; readonly atMost: number }

/** Contenders that do the same job, side by side; the first is the baseline of the ratios. */
export interface BenchmarkCase {
  readonly name: string
  readonly contenders: readonly [baseline: Contender, ...others: Contender[]]
  readonly targets: readonly Target[]
}

/** Cases that share their preparation. */
export interface Suite {
  readonly name: string
  /** @param scale share of the records that cases with a number of them move, up to 1 */
  open(servers: Servers, scale: number): Promise<OpenSuite>
}

export interface OpenSuite {
  readonly cases: readonly BenchmarkCase[]
  close(): Promise<void>
}
