import type { BenchmarkCase, Sample, Target } from './case.ts'
import type { Measured } from './harness.ts'
import { median, ratios } from './statistics.ts'

/** The outcome of a case: what `--json` prints, one object a line. */
export interface CaseReport {
  readonly case: string
  readonly rounds: number
  readonly baseline: string
  readonly contenders: readonly ContenderReport[]
  readonly targets: readonly TargetReport[]
  /** Whether every target was reached. */
  readonly met: boolean
}

export interface ContenderReport {
  readonly name: string
  /** Messages per second, median of the rounds. */
  readonly perSecond: number
  /** CPU time of the client for one message, median of the rounds. Microseconds. */
  readonly cpuMicrosPerMessage: number
  /** Median of the ratios to the baseline of the same round. */
  readonly ratio: number
  readonly ratios: readonly number[]
  readonly bytesPerMessage?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly plateauMb?: number
  readonly peakMb?: number
}

export interface TargetReport {
  readonly contender: string
  readonly measure: Target['measure']
  /** Such as `>= 3.5`. */
  readonly wanted: string
  readonly reached: number
  readonly met: boolean
}

/** Makes the figures of a case from its samples. */
export function reportCase(benchmark: BenchmarkCase, measured: readonly Measured[]): CaseReport {
  const baselineRates = measured[0]?.samples.map(rateOf) ?? []
  const contenders = measured.map((one) => reportContender(one, baselineRates))
  const targets = benchmark.targets.map((target) => checkTarget(target, contenders, measured))
  return {
    case: benchmark.name,
    rounds: baselineRates.length,
    baseline: benchmark.contenders[0].name,
    contenders,
    targets,
    met: targets.every(({ met }) => met),
  }
}

function reportContender({ contender, samples }: Measured, baselineRates: readonly number[]): ContenderReport {
  const rates = samples.map(rateOf)
  const perRound = ratios(rates, baselineRates)
  const latencies = samples.flatMap(({ latency }) => latency ?? [])
  const memories = samples.flatMap(({ memory }) => memory ?? [])
  return {
    name: contender.name,
    perSecond: Math.round(median(rates)),
    cpuMicrosPerMessage: rounded(median(samples.map(({ cpuMicros, messages }) => cpuMicros / messages))),
    ratio: rounded(median(perRound)),
    ratios: perRound.map(rounded),
    ...(contender.bytesPerMessage !== undefined && { bytesPerMessage: contender.bytesPerMessage }),
    ...(latencies.length > 0 && {
      p50Ms: rounded(median(latencies.map(({ p50Ms }) => p50Ms))),
      p99Ms: rounded(median(latencies.map(({ p99Ms }) => p99Ms))),
    }),
    ...(memories.length > 0 && {
      plateauMb: Math.round(median(memories.map(({ plateauMb }) => plateauMb))),
      peakMb: Math.round(Math.max(...memories.map(({ peakMb }) => peakMb))),
    }),
  }
}

function checkTarget(
  target: Target,
  contenders: readonly ContenderReport[],
  measured: readonly Measured[],
): TargetReport {
  const { contender, measure } = target
  if (measure === 'ratio' && target.to !== undefined) {
    const rates = (name: string) => measured.find((one) => one.contender.name === name)?.samples.map(rateOf) ?? []
    const reached = rounded(median(ratios(rates(contender), rates(target.to))))
    const wanted = `>= ${target.atLeast} of "${target.to}"`
    return { contender, measure, wanted, reached, met: reached >= target.atLeast }
  }
  const reached = contenders.find(({ name }) => name === contender)?.[measure] ?? Number.NaN
  return 'atLeast' in target
    ? { contender, measure, wanted: `>= ${target.atLeast}`, reached, met: reached >= target.atLeast }
    : { contender, measure, wanted: `<= ${target.atMost}`, reached, met: reached <= target.atMost }
}

/** The report as a table for people. */
export function formatReport(report: CaseReport): string {
  const heads = [
    '',
    'per second',
    'ratio',
    'per round',
    'CPU µs',
    'p50 ms',
    'p99 ms',
    'MB',
    'peak MB',
    'bytes',
    'target',
  ]
  const rows = report.contenders.map((contender) => [
    contender.name,
    contender.perSecond.toLocaleString('en'),
    `x${contender.ratio.toFixed(2)}`,
    contender.name === report.baseline ? '' : spread(contender.ratios),
    contender.cpuMicrosPerMessage.toFixed(1),
    contender.p50Ms?.toFixed(2) ?? '',
    contender.p99Ms?.toFixed(2) ?? '',
    contender.plateauMb?.toString() ?? '',
    contender.peakMb?.toString() ?? '',
    contender.bytesPerMessage?.toString() ?? '',
    report.targets
      .filter((target) => target.contender === contender.name)
      .map(formatTarget)
      .join(', '),
  ])
  const kept = heads.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== ''))
  const widths = kept.map((column) => Math.max(...[heads, ...rows].map((row) => row[column]?.length ?? 0)))
  const lines = [heads, ...rows].map((row) =>
    kept
      .map((column, i) => pad(row[column] ?? '', widths[i] ?? 0, column))
      .join('  ')
      .trimEnd(),
  )
  return `${report.case} (${report.rounds} rounds, ratio to "${report.baseline}")\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function formatTarget({ measure, wanted, reached, met }: TargetReport): string {
  const of = { ratio: '', p50Ms: 'p50 ', peakMb: 'peak ', perSecond: 'rate ' }[measure]
  // The figure itself stands in no column when it is compared with another than the baseline.
  const figure = wanted.includes(' of ') ? ` (x${reached.toFixed(2)})` : ''
  return `${of}${wanted}${figure} ${met ? 'met' : 'MISSED'}`
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)}..${Math.max(...values).toFixed(2)}`
}

/** Names and targets read from the left, figures from the right. */
function pad(text: string, width: number, column: number): string {
  return column === 0 || column === 10 ? text.padEnd(width) : text.padStart(width)
}

function rateOf({ messages, elapsedMs }: Sample): number {
  return (messages / elapsedMs) * 1000
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
