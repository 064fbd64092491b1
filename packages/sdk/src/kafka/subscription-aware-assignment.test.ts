import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignPartitions, type SubscribedMember } from './subscription-aware-assignment.ts'

const partitions: Record<string, number[]> = { old: [0, 1, 2], new: [0, 1], other: [0] }
const partitionsOf = (topic: string) => partitions[topic] ?? []
const assign = (...members: SubscribedMember[]) =>
  Object.fromEntries(
    Array.from(assignPartitions(members, partitionsOf), ([id, places]) => [
      id,
      places.map(({ topic, partition }) => `${topic}/${partition}`),
    ]),
  )

test('members with the same topics share the partitions evenly', () => {
  expect(assign({ id: 'b', topics: ['old'] }, { id: 'a', topics: ['old'] })).toEqual({
    a: ['old/0', 'old/2'],
    b: ['old/1'],
  })
})

test('a topic that only some members subscribe to goes to those', () => {
  const assigned = assign({ id: 'a', topics: ['old'] }, { id: 'b', topics: ['old', 'new'] })
  expect(assigned.b).toEqual(expect.arrayContaining(['new/0', 'new/1']))
  expect(assigned.a).toEqual(expect.arrayContaining([expect.stringMatching(/^old/)]))
})

test('a member for whom nothing is left gets nothing', () => {
  expect(assign({ id: 'a', topics: ['other'] }, { id: 'b', topics: ['other'] })).toEqual({ a: ['other/0'], b: [] })
})

test('whatever the subscriptions, each partition has exactly one reader that asked for it', () => {
  const topics = fc.subarray(Object.keys(partitions))
  const groups = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), topics }), { selector: ({ id }) => id })
  fc.assert(
    fc.property(groups, (members) => {
      const assigned = assignPartitions(members, partitionsOf)
      const wanted = [...new Set(members.flatMap((member) => member.topics))]
      const expected = wanted.flatMap((topic) => partitionsOf(topic).map((partition) => `${topic}/${partition}`))
      const given = [...assigned.values()].flat().map(({ topic, partition }) => `${topic}/${partition}`)
      expect(given.sort()).toEqual(expected.sort())
      for (const { id, topics: asked } of members)
        for (const { topic } of assigned.get(id) ?? []) expect(asked).toContain(topic)
      expect(assignPartitions([...members].reverse(), partitionsOf)).toEqual(assigned)
    }),
  )
})
