import { expect, test } from 'vitest'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { diffRecords } from './schema-diff.ts'

const record = (...fields: unknown[]) => ({ type: 'record', name: 'shop.Order', fields })
const state = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'shop.State', symbols, ...more })
const line = (...fields: unknown[]) => ({ type: 'record', name: 'shop.Line', fields })

function diff(before: unknown, now: unknown): string[] {
  const [one, other] = [parseAvroSchema(before), parseAvroSchema(now)]
  if (one.kind !== 'record' || other.kind !== 'record') throw new Error('expected records')
  return diffRecords(one, other).map(({ path, change, what }) => `${change} ${path}: ${what}`)
}

test('fields that are new, gone, renamed and of another type, in the order of the schema', () => {
  expect(
    diff(
      record({ name: 'id', type: 'string' }, { name: 'total', type: 'int' }, { name: 'note', type: 'string' }),
      record(
        { name: 'orderId', type: 'string', aliases: ['id'] },
        { name: 'total', type: 'long' },
        { name: 'email', type: ['null', 'string'], default: null, pii: true },
      ),
    ),
  ).toEqual([
    'renamed orderId: was id',
    'changed total: was int, is long',
    'added email: null or string, null by default, personal',
    'removed note: string',
  ])
})

test('symbols, defaults, marks and words', () => {
  expect(
    diff(
      record({ name: 's', type: state(['NEW', 'OLD']), doc: 'State.', default: 'NEW' }),
      record({
        name: 's',
        type: state(['NEW', 'GONE'], { default: 'GONE' }),
        doc: 'Its state.',
        default: 'GONE',
        pii: true,
      }),
    ),
  ).toEqual([
    'changed s: may also be GONE',
    'changed s: may no longer be OLD',
    'changed s: an unknown symbol was read as an error, is GONE',
    'changed s: by default was "NEW", is "GONE"',
    'changed s: is marked personal',
    'changed s: says now: Its state.',
  ])
})

test('within lists, and where a record became nullable', () => {
  expect(
    diff(
      record({ name: 'first', type: line() }, { name: 'lines', type: { type: 'array', items: 'shop.Line' } }),
      record(
        { name: 'first', type: ['null', line({ name: 'price', type: 'long' })] },
        { name: 'lines', type: { type: 'array', items: 'shop.Line' } },
      ),
    ),
  ).toEqual(['changed first: was record shop.Line, is null or record shop.Line', 'added first.price: long'])
})

test('nothing, when nothing changed', () => {
  const tree = record({ name: 'children', type: { type: 'array', items: 'shop.Order' } })
  expect(diff(tree, tree)).toEqual([])
})
