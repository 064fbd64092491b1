import { describe, expect, test } from 'vitest'
import { type CompatibilityMode, checkVersions } from './compatibility-mode.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'

const order = (...fields: unknown[]) => parseAvroSchema({ type: 'record', name: 'shop.Order', fields })
const id = { name: 'id', type: 'string' }
const coupon = { name: 'couponCode', type: 'string' }
const optionalCoupon = { name: 'couponCode', type: ['null', 'string'], default: null }

const versions = (...schemas: ReturnType<typeof order>[]) =>
  schemas.map((schema, index) => ({ name: `version ${index + 1}`, schema }))
const directions = (mode: CompatibilityMode, next: ReturnType<typeof order>, ...earlier: ReturnType<typeof order>[]) =>
  checkVersions({ mode, next, earlier: versions(...earlier) }).map((one) => `${one.direction} ${one.against.join('+')}`)

describe('whom a change breaks', () => {
  test('a field that is needed from now on breaks new readers on old data', () => {
    expect(directions('BACKWARD', order(id, coupon), order(id))).toEqual(['backward version 1'])
    expect(directions('FORWARD', order(id, coupon), order(id))).toEqual([])
  })

  test('a field that is no longer written breaks old readers on new data', () => {
    expect(directions('BACKWARD', order(id), order(id, coupon))).toEqual([])
    expect(directions('FORWARD', order(id), order(id, coupon))).toEqual(['forward version 1'])
    expect(directions('FULL', order(id), order(id, coupon))).toEqual(['forward version 1'])
  })

  test('only the transitive modes look further back than the last version', () => {
    const history = [order(id), order(id, optionalCoupon)]
    expect(directions('BACKWARD', order(id, coupon), ...history)).toEqual(['backward version 2'])
    expect(directions('BACKWARD', order(id, coupon), order(id), order(id, coupon))).toEqual([])
    expect(directions('BACKWARD_TRANSITIVE', order(id, coupon), order(id), order(id, coupon))).toEqual([
      'backward version 1',
    ])
  })

  test('the same break with several versions is one', () => {
    expect(directions('BACKWARD_TRANSITIVE', order(id, coupon), order(id), order(id), order(id))).toEqual([
      'backward version 1+version 2+version 3',
    ])
  })

  test('NONE breaks nobody, and a first version neither', () => {
    expect(directions('NONE', order(id, coupon), order(id))).toEqual([])
    expect(directions('FULL_TRANSITIVE', order(id, coupon))).toEqual([])
  })
})

describe('what it says', () => {
  const only = (next: unknown[], earlier: unknown[], mode: CompatibilityMode = 'BACKWARD') => {
    const [one, ...others] = checkVersions({ mode, next: order(...next), earlier: versions(order(...earlier)) })
    expect(others).toEqual([])
    return one
  }

  test('names the version, the field and the data that fails', () => {
    expect(only([id, coupon], [id])?.message).toBe(
      'the new schema needs the field "couponCode" of shop.Order, which version 1 does not write, and has no default for it: all data of version 1 fails.',
    )
  })

  test.each<[string, unknown[], unknown[], string]>([
    ['a default for a new list', [{ name: 'tags', type: { type: 'array', items: 'string' } }], [], '"default": []'],
    ['null first for a new nullable field', [{ name: 'a', type: ['string', 'null'] }], [], 'put "null" first'],
    ['an alias for a field that looks renamed', [{ name: 'orderId', type: 'string' }], [id], '"aliases": ["id"]'],
    [
      'to keep a symbol',
      [{ name: 's', type: state('A') }],
      [{ name: 's', type: state('A', 'B') }],
      'Keep B in shop.State',
    ],
    [
      'to keep null',
      [{ name: 'a', type: 'int' }],
      [{ name: 'a', type: ['null', 'int'] }],
      'Keep null in the type of "a"',
    ],
    [
      'another field for another type',
      [{ name: 'a', type: 'string' }],
      [{ name: 'a', type: 'int' }],
      'add a new field with a default',
    ],
  ])('advises %s', (_, next, earlier, advice) => {
    expect(only(next, earlier)?.advice[0]).toContain(advice)
  })

  test('advises an enum default before a new symbol, for the sake of old readers', () => {
    const one = only([{ name: 's', type: state('A', 'B') }], [{ name: 's', type: state('A') }], 'FORWARD')
    expect(one?.advice[0]).toContain('first give shop.State a "default" symbol')
  })
})

function state(...symbols: string[]) {
  return { type: 'enum', name: 'shop.State', symbols }
}
