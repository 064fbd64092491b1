import { expect, test } from 'vitest'
import { parseArguments, UsageError } from './arguments.ts'

const parse = (...argv: string[]) => parseArguments(argv, () => 'drawn')

test('without options every scenario runs once, with a new seed', () => {
  expect(parse()).toEqual({
    command: 'run',
    seed: 'drawn',
    minutes: undefined,
    scenarios: [],
    json: false,
    data: undefined,
  })
})

test('scenarios are named by several flags or with commas between them', () => {
  expect(parse('--scenario', 'a,b', '--scenario', 'F6')).toMatchObject({ scenarios: ['a', 'b', 'F6'] })
})

test('seed, minutes, folder and output are taken as they are', () => {
  expect(parse('--seed', '7', '--minutes', '0.5', '--data', 'd', '--json')).toMatchObject({
    seed: '7',
    minutes: 0.5,
    data: 'd',
    json: true,
  })
  expect(parse('--list')).toEqual({ command: 'list', json: false })
  expect(parse('-h')).toEqual({ command: 'help' })
})

test.each([['--minutes', 'soon'], ['--minutes', '0'], ['--sed', '7'], ['broker-killed']])(
  '%s %s is refused',
  (...argv) => {
    expect(() => parse(...argv)).toThrow(UsageError)
  },
)
