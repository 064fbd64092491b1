import { expect, test } from 'vitest'
import type { ConformanceCase, ConformanceHarness } from './conformance.ts'
import { describeConformance } from './describe-conformance.ts'
import { transportConformance } from './transport.ts'

const harness: ConformanceHarness = {
  abilities: new Set(),
  sessionMs: 10,
  open: () => Promise.reject(new Error('not needed here')),
  topicName: (hint) => hint,
  dump: async () => [],
}

test('a case becomes a test, or a skip that gives its reason', async () => {
  const made: string[] = []
  const ran: ConformanceHarness[] = []
  const cases: ConformanceCase[] = [
    {
      name: 'does this',
      run: async (given) => {
        ran.push(given)
      },
    },
    {
      name: 'survives that',
      needs: { ability: 'lose-responses', because: 'nothing can be lost' },
      run: async () => {},
    },
  ]
  const register = Object.assign(
    (name: string, body: () => Promise<void>) => {
      made.push(name)
      void body()
    },
    { skip: (name: string) => void made.push(`skipped: ${name}`) },
  )
  describeConformance({ describe: (_name, body) => body(), test: register }, 'a transport', cases, harness)
  expect(made).toEqual(['does this', 'skipped: survives that (not here: needs lose-responses, nothing can be lost)'])
  expect(ran).toEqual([harness])
})

test('every case of the suite has a name of its own', () => {
  const names = transportConformance.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
