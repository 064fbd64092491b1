/** The short form of `npm run chaos`: a few bad days, always the same ones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChaosOutcome, runChaos } from './chaos-run.ts'
import { formatReport, type ScenarioResult, scenarioResults } from './report.ts'
import { shortForm } from './scenarios/index.ts'

const seed = 'short-form'
const folder = mkdtempSync(join(tmpdir(), 'evtkit-chaos-'))
let outcome: ChaosOutcome
let results: ScenarioResult[]

beforeAll(async () => {
  outcome = await runChaos({ seed, scenarios: shortForm, folder, progress: () => {} })
  results = scenarioResults(outcome.history, outcome.evidence, outcome.findings)
  console.log(`\n${formatReport(results, outcome.findings)}\n`)
}, 600_000)

// What went wrong is found in the history and the logs, so then they stay.
afterAll(() => {
  if (outcome?.findings.length === 0) rmSync(folder, { recursive: true, force: true })
  else console.log(`History, logs and data are in ${folder}.`)
})

test('every bad day came, met live work, and was over in time', () => {
  expect(results.map(({ scenario }) => scenario).toSorted()).toEqual(shortForm.map(({ name }) => name).toSorted())
  for (const { scenario, strikes } of results) expect(strikes.length, scenario).toBeGreaterThan(0)
  expect(outcome.findings.filter(({ kind }) => kind === 'vacuous' || kind === 'slow' || kind === 'broken')).toEqual([])
})

test('nothing was lost, done twice or out of order, and nothing was set aside that was not poisoned', () => {
  expect(outcome.evidence.orders.length).toBeGreaterThan(0)
  expect(outcome.findings).toEqual([])
})
