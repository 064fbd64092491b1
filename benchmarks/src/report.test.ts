import { expect, test } from 'vitest'
import type { BenchmarkCase, Contender, Sample } from './case.ts'
import { runCase } from './harness.ts'
import { formatReport, reportCase } from './report.ts'

/** A contender whose rounds, the warm-up first, take these many milliseconds for 1000 messages. */
function takes(name: string, ...elapsed: number[]): Contender {
  return {
    name,
    run: async ({ number }): Promise<Sample> => ({
      messages: 1000,
      elapsedMs: elapsed[number] ?? 0,
      cpuMicros: 5000,
      latency: { p50Ms: (elapsed[number] ?? 0) / 100, p99Ms: 9 },
    }),
  }
}

const publishing: BenchmarkCase = {
  name: 'publish/64-callers',
  contenders: [takes('plain', 1, 200, 400, 200), takes('ours', 9999, 100, 100, 50)],
  targets: [
    { contender: 'ours', measure: 'ratio', atLeast: 3.5 },
    { contender: 'ours', measure: 'p50Ms', atMost: 0.9 },
  ],
}

const measure = (benchmark: BenchmarkCase) => runCase(benchmark, { rounds: 3, durationMs: 1, progress: () => {} })

test('figures are medians of the counted rounds, and the ratio compares within a round', async () => {
  const report = reportCase(publishing, await measure(publishing))
  expect(report.rounds).toBe(3)
  expect(report.contenders[0]).toMatchObject({ name: 'plain', perSecond: 5000, ratio: 1, cpuMicrosPerMessage: 5 })
  expect(report.contenders[1]).toMatchObject({ name: 'ours', perSecond: 10_000, ratio: 4, ratios: [2, 4, 4], p50Ms: 1 })
})

test('a case is met only when each of its targets is', async () => {
  const report = reportCase(publishing, await measure(publishing))
  expect(report.targets).toEqual([
    { contender: 'ours', measure: 'ratio', wanted: '>= 3.5', reached: 4, met: true },
    { contender: 'ours', measure: 'p50Ms', wanted: '<= 0.9', reached: 1, met: false },
  ])
  expect(report.met).toBe(false)
})

test('a target of a contender that was not measured is missed', async () => {
  const misspelt: BenchmarkCase = {
    ...publishing,
    targets: [{ contender: 'theirs', measure: 'ratio', atLeast: 1 }],
  }
  expect(reportCase(misspelt, await measure(misspelt)).met).toBe(false)
})

test('a target may compare with another contender than the baseline', async () => {
  const third: BenchmarkCase = {
    ...publishing,
    contenders: [takes('ideal', 1, 100, 100, 100), takes('ours', 1, 125, 125, 125), takes('peer', 1, 500, 1000, 2000)],
    targets: [{ contender: 'ours', measure: 'ratio', to: 'peer', atLeast: 9 }],
  }
  const report = reportCase(third, await measure(third))
  expect(report.targets).toEqual([
    { contender: 'ours', measure: 'ratio', wanted: '>= 9 of "peer"', reached: 8, met: false },
  ])
  expect(formatReport(report)).toContain('>= 9 of "peer" (x8.00) MISSED')
})

test('the table names the case, its targets and whether they were reached', async () => {
  const table = formatReport(reportCase(publishing, await measure(publishing)))
  expect(table).toContain('publish/64-callers (3 rounds, ratio to "plain")')
  expect(table).toMatch(/ours +10,000 +x4\.00 +2\.00\.\.4\.00 .* >= 3\.5 met, p50 <= 0\.9 MISSED/)
  expect(table).not.toContain('bytes')
})

test('every round starts with another contender', async () => {
  const order: string[] = []
  const noting = (name: string): Contender => ({
    name,
    run: async () => {
      order.push(name)
      return { messages: 1, elapsedMs: 1, cpuMicros: 1 }
    },
  })
  await measure({ name: 'order', contenders: [noting('a'), noting('b')], targets: [] })
  expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b', 'b', 'a'])
})
