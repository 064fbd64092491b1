import { expect, test } from 'vitest'
import { BrokerUnavailableError, UnknownTopicError } from '../core/errors.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { PartitionCounts } from './partition-counts.ts'

function stage() {
  const topics = new Map([['t', 3]])
  const clock = createManualClock()
  let asked = 0
  let away = false
  const counts = new PartitionCounts(
    {
      describeTopic: async (name) => {
        asked++
        if (away) throw new BrokerUnavailableError('away')
        const partitions = topics.get(name)
        return partitions === undefined ? undefined : { name, partitions }
      },
    },
    clock,
    30_000,
  )
  return {
    ...{ counts, topics, clock },
    asked: () => asked,
    setAway: (is: boolean) => {
      away = is
    },
  }
}

test('a topic is asked for once, also by many at the same time', async () => {
  const { counts, asked } = stage()
  expect(counts.get('t')).toBeUndefined()
  await Promise.all([counts.ask('t'), counts.ask('t')])
  expect(counts.get('t')).toBe(3)
  expect(asked()).toBe(1)
})

test('old knowledge is given while new is fetched', async () => {
  const { counts, topics, clock } = stage()
  await counts.ask('t')
  topics.set('t', 6)
  await clock.advance(30_000)
  expect(counts.get('t')).toBe(3)
  await clock.advance(0)
  expect(counts.get('t')).toBe(6)
})

test('an outage takes nothing away, and is not asked about at every turn', async () => {
  const { counts, clock, asked, setAway } = stage()
  await counts.ask('t')
  setAway(true)
  await clock.advance(30_000)
  for (let i = 0; i < 100; i++) expect(counts.get('t')).toBe(3)
  await clock.advance(500)
  for (let i = 0; i < 100; i++) expect(counts.get('t')).toBe(3)
  expect(asked()).toBe(2)
})

test('a topic that is gone is forgotten', async () => {
  const { counts, topics, clock } = stage()
  await counts.ask('t')
  topics.delete('t')
  await clock.advance(30_000)
  counts.get('t')
  await clock.advance(0)
  expect(counts.get('t')).toBeUndefined()
  await expect(counts.ask('t')).rejects.toThrow(UnknownTopicError)
})
