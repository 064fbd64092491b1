import { describe, expectTypeOf, test } from 'vitest'
import {
  type allEvents,
  type CommonDate,
  EverythingHappened,
  type EverythingHappenedData,
  type EverythingHappenedInput,
  EverythingHappenedV1,
  type EverythingHappenedV1Data,
  type ForestGrewData,
  NamesHappened,
  type Shared,
  type SharedInput,
  StressEvents,
  type Tree,
  type TreeInput,
} from '../../../../test/stress-contracts/generated/index.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Envelope } from '../core/envelope.ts'
import type { InputOf } from '../core/event.ts'
import type { Producer } from '../core/producer.ts'
import type { TopicDefinition } from '../core/topic.ts'

declare const producer: Producer
declare const consumer: Consumer
declare const data: EverythingHappenedData

type Of<Field extends keyof EverythingHappenedData> = EverythingHappenedData[Field]

describe('generated types', () => {
  test('scalars are what JavaScript has for them', () => {
    expectTypeOf<Of<'nothing'>>().toEqualTypeOf<null>()
    expectTypeOf<Of<'flag'>>().toEqualTypeOf<boolean>()
    expectTypeOf<Of<'small' | 'large' | 'short' | 'double' | 'micros' | 'time'>>().toEqualTypeOf<number>()
    expectTypeOf<Of<'huge'>>().toEqualTypeOf<bigint>()
    expectTypeOf<Of<'bytes' | 'hash' | 'duration'>>().toEqualTypeOf<Buffer>()
    expectTypeOf<Of<'text' | 'uuid' | 'unknown' | 'only'>>().toEqualTypeOf<string>()
  })

  test('logical types have the form that people want', () => {
    expectTypeOf<Of<'at'>>().toEqualTypeOf<Date>()
    expectTypeOf<Of<'day' | 'amount' | 'rate'>>().toEqualTypeOf<string>()
    expectTypeOf<Of<'maybeDay'>>().toEqualTypeOf<string | null>()
  })

  test('enums are unions of their symbols', () => {
    expectTypeOf<Of<'color'>>().toEqualTypeOf<'RED' | 'GREEN' | 'OTHER'>()
    expectTypeOf<Of<'closed'>>().toEqualTypeOf<'only'>()
  })

  test('lists and maps cannot be changed', () => {
    expectTypeOf<Of<'list'>>().toEqualTypeOf<readonly (readonly (number | null)[])[]>()
    expectTypeOf<Of<'map'>>().toEqualTypeOf<Readonly<Record<string, Readonly<Record<string, number>>>>>()
    // @ts-expect-error the data of a fact is not changed
    data.text = 'other'
    // @ts-expect-error and neither are its lists
    data.hashes.push(Buffer.alloc(4))
  })

  test('unions are plain where JavaScript tells the branches apart, and wrapped where it does not', () => {
    expectTypeOf<Of<'plain'>>().toEqualTypeOf<string | number | boolean | readonly string[] | null>()
    expectTypeOf<Of<'dated'>>().toEqualTypeOf<boolean | Date | readonly Buffer[]>()
    expectTypeOf<Of<'wrapped'>>().toEqualTypeOf<
      { readonly int: number } | { readonly double: number } | { readonly 'stress.common.Shared': Shared } | null
    >()
    expectTypeOf<Of<'texts'>>().toEqualTypeOf<
      { readonly string: string } | { readonly 'stress.kinds.v2.Color': 'RED' | 'GREEN' | 'OTHER' }
    >()
  })

  test('a record that holds itself does so in its type', () => {
    expectTypeOf<Tree['left']>().toEqualTypeOf<Tree | null>()
    expectTypeOf<ForestGrewData['children']>().toEqualTypeOf<readonly ForestGrewData[]>()
  })

  test('a record named as a global does not hide it', () => {
    expectTypeOf<CommonDate['at']>().toEqualTypeOf<Date>()
  })

  test('the topic and the catalogue are typed', () => {
    expectTypeOf(StressEvents).toEqualTypeOf<TopicDefinition>()
    expectTypeOf<(typeof allEvents)[number]['type']>().toEqualTypeOf<
      'EverythingHappened' | 'ForestGrew' | 'NamesHappened'
    >()
  })
})

describe('from the definition to the handler', () => {
  test('a handler is given the data of its event', () => {
    consumer.on(EverythingHappened, (event) => {
      expectTypeOf(event).toEqualTypeOf<Envelope<'EverythingHappened', EverythingHappenedData>>()
      expectTypeOf(event.data.tree).toEqualTypeOf<Tree | null>()
      // @ts-expect-error there is no such field
      event.data.nonsense
    })
    consumer.on(EverythingHappenedV1, (event) => {
      expectTypeOf(event.data.key.inner.id).toEqualTypeOf<string>()
    })
  })

  test('a publisher may leave out what has a default, on every level', () => {
    type Input = InputOf<typeof EverythingHappened>
    expectTypeOf<Input>().toEqualTypeOf<EverythingHappenedInput>()
    expectTypeOf<Input>().toExtend<{ readonly id: string; readonly flag?: boolean; readonly maybe?: string | null }>()
    expectTypeOf<Input['tree']>().toEqualTypeOf<TreeInput | null | undefined>()
    expectTypeOf<TreeInput['left']>().toEqualTypeOf<TreeInput | null | undefined>()
    expectTypeOf<SharedInput['tag']>().toEqualTypeOf<Shared['tag'] | undefined>()
    expectTypeOf<EverythingHappenedData>().toExtend<EverythingHappenedInput>()
    const shared = { name: 'n', other: {} }
    const { flag, small, maybe, tree, ...rest } = data
    producer.publish(EverythingHappened, { ...rest, shared, tree: { value: 1, left: { value: 2 } } })
    // @ts-expect-error a name has no default
    producer.publish(EverythingHappened, { ...rest, shared: { other: {} } })
  })

  test('without defaults there is one type for both', () => {
    expectTypeOf<InputOf<typeof EverythingHappenedV1>>().toEqualTypeOf<EverythingHappenedV1Data>()
  })

  test('a publisher cannot leave out a field without a default, nor write one wrongly', () => {
    producer.publish(EverythingHappened, data)
    // @ts-expect-error the rest is missing
    producer.publish(EverythingHappened, { id: 'x' })
    // @ts-expect-error this symbol is none of the enum's
    producer.publish(EverythingHappened, { ...data, color: 'BLUE' })
    // @ts-expect-error an instant is a Date
    producer.publish(EverythingHappened, { ...data, at: 0 })
    // @ts-expect-error 64 bits are a bigint
    producer.publish(EverythingHappened, { ...data, huge: 1 })
    // @ts-expect-error a nullable field says so with null
    producer.publish(EverythingHappened, { ...data, maybe: undefined })
    // @ts-expect-error a wrapped branch has one name only
    producer.publish(EverythingHappened, { ...data, wrapped: 3 })
    // @ts-expect-error the data of another event
    producer.publish(NamesHappened, data)
  })
})
