import { setMaxListeners } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress } from '@evtkit/local-stack'
import { checkRun } from './checker/check-run.ts'
import { collectEvidence } from './checker/collect-evidence.ts'
import type { Evidence } from './checker/evidence.ts'
import type { Finding } from './checker/finding.ts'
import { Conditions } from './conditions.ts'
import { Dice } from './dice.ts'
import { History, type HistoryEvent } from './history.ts'
import type { Scenario } from './scenario.ts'
import { drawSchedule, type PlannedScenario } from './schedule.ts'
import { Workload } from './workload.ts'
import { World } from './world/world.ts'

export interface ChaosOptions {
  readonly seed: string
  readonly scenarios: readonly Scenario[]
  /** No scenario is begun after this long. Milliseconds. @default after one round of all scenarios */
  readonly forMs?: number
  /** Gets the history, the logs and the data of the servers. */
  readonly folder: string
  readonly progress: Progress
  /** @default 4 */
  readonly ordersPerSecond?: number
  /** Ends the run early; what has happened until then is judged. */
  readonly signal?: AbortSignal
}

/** What a run showed. */
export interface ChaosOutcome {
  readonly history: readonly HistoryEvent[]
  readonly evidence: Evidence
  readonly findings: readonly Finding[]
}

/** How much longer than its bound a scenario may take to recover before the run is given up. Milliseconds. */
const hopeMs = 60_000
/** Orders that flow before a scenario strikes, and after it has healed. Milliseconds. */
const beforeMs = 1500
const afterMs = 1000

/** Starts a world, lets one scenario after the other happen to it while clients are at work, and judges what is left. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const { seed, folder, progress } = options
  mkdirSync(folder, { recursive: true })
  const history = new History(join(folder, 'history.ndjson'))
  const world = await World.start({ folder, history, progress })
  try {
    const workload = new Workload({
      gatewayUrl: world.program('gateway').url,
      cartsUrl: world.program('carts').url,
      history,
      dice: new Dice(`${seed}/workload`),
      ordersPerSecond: options.ordersPerSecond ?? 4,
      carts: 4,
    })
    try {
      await runSchedule(options, { world, workload, history })
    } finally {
      await workload.close()
    }
    progress('Reading the log and the databases ...')
    const evidence = await collectEvidence({
      dump: (topic) => world.kafka.dump(topic),
      databaseUrlOf: (service) => world.databaseUrlOf(service),
      outside: world.outside,
    })
    return { history: history.events, evidence, findings: checkRun(evidence, history.events) }
  } finally {
    await world.close()
  }
}

async function runSchedule(
  { seed, scenarios, forMs, progress, signal = new AbortController().signal }: ChaosOptions,
  ground: { readonly world: World; readonly workload: Workload; readonly history: History },
): Promise<void> {
  // Every pause listens to it.
  setMaxListeners(0, signal)
  const begun = performance.now()
  let firstFault = 0
  for (const planned of drawSchedule(seed, scenarios)) {
    const over = forMs === undefined ? planned.place > scenarios.length : performance.now() - begun > forMs
    if (over || signal.aborted) return
    progress(`${planned.place}. ${planned.scenario.name} ${JSON.stringify(planned.plan)}`)
    const conditions = new Conditions({ ...ground, signal, firstFault })
    if (!(await runScenario(planned, conditions))) {
      progress('It has not recovered; what comes after it would show nothing.')
      return
    }
    firstFault = conditions.faults
  }
}

/** @returns whether everything works again afterwards */
async function runScenario({ place, scenario, plan }: PlannedScenario, conditions: Conditions): Promise<boolean> {
  const { history, workload, signal } = conditions
  const { name, faults, boundMs } = scenario
  history.enter(place)
  history.note({ kind: 'scenario', name, faults, boundMs, plan })
  workload.flow()
  try {
    await conditions.pause(beforeMs)
    await scenario.run(conditions, plan)
    await conditions.pause(afterMs)
  } catch (error) {
    if (!signal.aborted)
      conditions.broken(
        `${name} could not be carried out: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
  } finally {
    conditions.end()
    workload.pause()
  }
  const deadline = conditions.healedAt + boundMs + hopeMs
  let left = await conditions.left()
  while (left !== undefined && performance.now() < deadline && !signal.aborted) {
    await sleep(100)
    left = await conditions.left()
  }
  const recoveredMs = Math.round(performance.now() - conditions.healedAt)
  history.note({ kind: 'recovered', afterMs: recoveredMs, ...(left !== undefined && { left }) })
  if (left !== undefined) for (const text of await diagnose(conditions)) history.note({ kind: 'note', text })
  return left === undefined
}

/** What a person would look at first. */
async function diagnose({ world }: Conditions): Promise<string[]> {
  const health = await Promise.all(
    world.programs.map(async (program) => `${program.name}: ${(await program.unreadiness()) ?? 'ready'}`),
  )
  const sessions = await world.gauge.query(
    'orders',
    `select application_name, datname, state, wait_event, now() - xact_start as age, left(query, 100) as query
       from pg_stat_activity where state <> 'idle' and datname is not null`,
  )
  return [...health, ...(sessions ?? []).map((row) => JSON.stringify(row))]
}
