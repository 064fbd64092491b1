import type { Conditions } from './conditions.ts'
import type { Dice } from './dice.ts'

/** One kind of bad day. */
export interface Scenario<Plan = unknown> {
  /** What happens: `broker-killed`. */
  readonly name: string
  /** Letters of the faults it stands for. */
  readonly faults: readonly string[]
  /** One line for people. */
  readonly about: string
  /** From the last healing until nothing is left to do anywhere. Milliseconds. */
  readonly boundMs: number
  /** Decides everything that is left to chance: the same dice, the same plan. */
  draw(dice: Dice): Plan
  /** Strikes and heals; whatever it broke works again when this resolves. */
  run(conditions: Conditions, plan: Plan): Promise<void>
}

/** A scenario whose plan only it knows. */
export function defineScenario<Plan>(scenario: Scenario<Plan>): Scenario {
  // Safe: a plan that reaches `run` was drawn by the same scenario.
  return scenario as Scenario
}
