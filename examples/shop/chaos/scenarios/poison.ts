import { groupsOf, readers } from '../readers.ts'
import type { RawRecord } from '../world/raw-records.ts'

/** One way in which a record can be no event, or a wrong one. */
export interface Poison {
  readonly name: string
  record(topic: string): Omit<RawRecord, 'topic' | 'partition'>
  /** The groups that must set it aside on this topic; the others skip what they do not handle. */
  groupsOf(topic: string): string[]
}

const envelope = (eventType: string, data: unknown) => ({
  eventId: '01a20f00-dead-7000-8000-000000000001',
  eventType,
  eventVersion: 'v1',
  timestamp: '2026-01-31T12:00:00.000Z',
  source: 'nobody',
  correlationId: 'poison',
  causationId: null,
  data,
  metadata: {},
})

/** An event of the topic that some group handles. */
const handledOn = (topic: string) => Object.values(readers).flatMap((topics) => topics[topic] ?? [])[0] ?? ''

const unreadable = (name: string, value: Buffer | string | null, rest: Partial<RawRecord> = {}): Poison => ({
  name,
  record: () => ({ key: 'poison', value, ...rest }),
  groupsOf,
})

export const poisons: readonly Poison[] = [
  unreadable('random bytes', Buffer.from('f3a97c0012ff80fe5bd7e90a44', 'hex')),
  unreadable('nothing', ''),
  unreadable('a tombstone', null),
  unreadable('no key', 'not an event', { key: null }),
  unreadable('JSON that is no envelope', '{"hello":"world"}'),
  unreadable('a prototype', '{"__proto__":{"eventType":"OrderCreated"},"constructor":{"prototype":{"polluted":true}}}'),
  unreadable('JSON ten thousand deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  unreadable(
    'a schema id that nobody knows',
    Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe]), Buffer.from('x')]),
  ),
  unreadable('half an envelope', JSON.stringify(envelope('OrderCreated', {})).slice(0, 90)),
  unreadable('headers with odd names', 'odd', {
    headers: { __proto__: 'a', constructor: 'b', toString: 'c', '': 'd' },
  }),
  unreadable('an event of an unknown type', JSON.stringify(envelope('NobodyKnowsThis', {}))),
  {
    name: 'an event with the wrong data',
    record: (topic) => ({ key: 'poison', value: JSON.stringify(envelope(handledOn(topic), { cartId: 7 })) }),
    groupsOf: (topic) =>
      groupsOf(topic).filter((group) => readers[group]?.[topic]?.includes(handledOn(topic)) === true),
  },
]
