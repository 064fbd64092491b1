import { expect, test } from 'vitest'
import { parseArguments } from './arguments.ts'

const known = ['publish', 'consume']

test('without a name every benchmark runs, five rounds each', () => {
  expect(parseArguments([], known)).toEqual({
    names: ['publish', 'consume'],
    json: false,
    check: false,
    rounds: 5,
    durationMs: 2000,
    scale: 1,
    only: '',
  })
})

test('names and options may be mixed', () => {
  const found = parseArguments(['--json', 'consume', '--rounds', '9', '--check'], known)
  expect(found).toMatchObject({ names: ['consume'], json: true, check: true, rounds: 9 })
})

test('an unknown benchmark is refused with the names there are', () => {
  expect(() => parseArguments(['pubish'], known)).toThrow('unknown benchmark "pubish"; there are publish, consume')
  expect(() => parseArguments(['--fast'], known)).toThrow('unknown option "--fast"')
})

test('a number of rounds that is none is refused', () => {
  expect(() => parseArguments(['--rounds', 'many'], known)).toThrow('--rounds needs a whole number from 1 up, got many')
  expect(() => parseArguments(['--rounds'], known)).toThrow('got undefined')
  expect(() => parseArguments(['--scale', '2'], known)).toThrow('--scale needs a number above 0 and up to 1, got 2')
})
