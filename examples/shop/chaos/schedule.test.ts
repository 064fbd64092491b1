import { expect, test } from 'vitest'
import type { Dice } from './dice.ts'
import { defineScenario } from './scenario.ts'
import { drawSchedule } from './schedule.ts'

const scenarios = ['a', 'b', 'c', 'd'].map((name) =>
  defineScenario({
    name,
    faults: [],
    about: '',
    boundMs: 1,
    draw: (dice: Dice) => ({ ms: dice.whole(1, 1_000_000) }),
    run: async () => {},
  }),
)

function take(seed: string, count: number) {
  const drawn: { name: string; plan: unknown }[] = []
  for (const { scenario, plan } of drawSchedule(seed, scenarios)) {
    drawn.push({ name: scenario.name, plan })
    if (drawn.length === count) break
  }
  return drawn
}

test('the same seed gives the same schedule, and a longer run begins like a shorter one', () => {
  expect(take('7', 12)).toEqual(take('7', 12))
  expect(take('7', 12).slice(0, 5)).toEqual(take('7', 5))
})

test('another seed gives another schedule', () => {
  expect(take('7', 12)).not.toEqual(take('8', 12))
})

test('each round has every scenario once', () => {
  const names = take('7', 8).map(({ name }) => name)
  expect(names.slice(0, 4).toSorted()).toEqual(['a', 'b', 'c', 'd'])
  expect(names.slice(4).toSorted()).toEqual(['a', 'b', 'c', 'd'])
})
