import { Dice } from './dice.ts'
import type { Scenario } from './scenario.ts'

/** One place of a schedule: what will happen, with everything that chance decides decided. */
export interface PlannedScenario {
  readonly place: number
  readonly scenario: Scenario
  readonly plan: unknown
}

/**
 * The scenarios of a run in the order in which they will happen, without an end: each round has all of them once, in an
 * order of its own. It follows from the seed and the scenarios alone, however long the run is.
 */
export function* drawSchedule(seed: string, scenarios: readonly Scenario[]): Generator<PlannedScenario, never> {
  if (scenarios.length === 0) throw new RangeError('a schedule needs at least one scenario')
  const dice = new Dice(seed)
  let place = 0
  for (let round = 1; ; round++)
    for (const scenario of dice.fork(`round-${round}`).some(scenarios)) {
      place++
      yield { place, scenario, plan: scenario.draw(dice.fork(`${place}-${scenario.name}`)) }
    }
}
