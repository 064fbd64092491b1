import { expect, test } from 'vitest'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { piiFields } from './pii-fields.ts'

const pathsOf = (fields: readonly unknown[]) => {
  const schema = parseAvroSchema({ type: 'record', name: 'Thing', fields })
  if (schema.kind !== 'record') throw new Error('expected a record')
  return piiFields(schema)
}
const personal = { name: 'email', type: 'string', pii: true }

test('personal fields are found wherever they are', () => {
  const inner = { type: 'record', name: 'Person', fields: [personal, { name: 'age', type: 'int' }] }
  expect(
    pathsOf([
      { name: 'id', type: 'string' },
      { name: 'note', type: ['null', 'string'], pii: true },
      { name: 'person', type: ['null', inner] },
      { name: 'friends', type: { type: 'array', items: 'Person' } },
      { name: 'byName', type: { type: 'map', values: 'Person' } },
    ]),
  ).toEqual(['note', 'person.email', 'friends[].email', 'byName{}.email'])
})

test('what is within a personal field is not named again', () => {
  const inner = { type: 'record', name: 'Person', fields: [personal] }
  expect(pathsOf([{ name: 'person', type: inner, pii: true }])).toEqual(['person'])
})

test('only true marks a field', () => {
  expect(
    pathsOf([
      { ...personal, pii: false },
      { name: 'b', type: 'string', pii: 'no' },
    ]),
  ).toEqual([])
})

test('a record that holds itself has an end', () => {
  expect(pathsOf([personal, { name: 'parent', type: ['null', 'Thing'] }])).toEqual(['email'])
})

test('two branches with the same personal field give one path', () => {
  const branch = (name: string) => ({ type: 'record', name, fields: [personal] })
  expect(pathsOf([{ name: 'who', type: [branch('Guest'), branch('Member')] }])).toEqual(['who.email'])
})
