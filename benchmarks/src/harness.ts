import type { BenchmarkCase, Contender, Round, Sample } from './case.ts'

/** All rounds of one contender, in order. */
export interface Measured {
  readonly contender: Contender
  readonly samples: readonly Sample[]
}

export interface RunOptions {
  readonly rounds: number
  readonly durationMs: number
  readonly progress: (line: string) => void
}

/**
 * Runs the contenders of a case one after another, round by round, after a warm-up round of each. Every round starts with
 * another contender, so that none always runs in the wake of the same one.
 */
export async function runCase(benchmark: BenchmarkCase, options: RunOptions): Promise<Measured[]> {
  const { contenders } = benchmark
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]))
  for (let number = 0; number <= options.rounds; number++) {
    const round: Round = { number, durationMs: options.durationMs }
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + number) % contenders.length]
      if (contender === undefined) continue
      const sample = await contender.run(round)
      if (number > 0) samples.get(contender)?.push(sample)
      options.progress(describeRound(benchmark, contender, number, sample))
    }
  }
  return contenders.map((contender) => ({ contender, samples: samples.get(contender) ?? [] }))
}

function describeRound(benchmark: BenchmarkCase, contender: Contender, number: number, sample: Sample): string {
  const rate = Math.round((sample.messages / sample.elapsedMs) * 1000).toLocaleString('en')
  const cpu = (sample.cpuMicros / sample.messages).toFixed(1)
  const latency = sample.latency === undefined ? '' : `, p50 ${sample.latency.p50Ms.toFixed(2)} ms`
  const round = number === 0 ? 'warm-up' : `round ${number}`
  return `${benchmark.name}  ${round}  ${contender.name}: ${rate}/s, ${cpu} µs CPU${latency}`
}
