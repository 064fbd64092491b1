import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InvalidSchemaError } from '../core/errors.ts'
import { avroDecoder, avroEncoder } from './avro-binary.ts'
import { checkCompatibility } from './compatibility.ts'
import { compileCheck } from './compile-check.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'
import { dataOf } from './testing/arbitrary-data.ts'
import { drawSchemaPairs } from './testing/schema-pairs.ts'

test('data of a schema reads with every one that is called compatible', () => {
  let read = 0
  for (const { before, after } of Array.from({ length: 400 }, (_, seed) => drawn(seed)).flat()) {
    const writer = parseAvroSchema(before)
    const reader = parseAvroSchema(after)
    if (checkCompatibility({ reader, writer }).length > 0) continue
    const decode = avroDecoder(writer, reader)
    const check = compileCheck(reader)
    for (const data of fc.sample(dataOf(writer), { seed: 7, numRuns: 5 })) {
      let value: unknown
      try {
        value = decode(avroEncoder(writer)(data))
      } catch (error) {
        // Bytes may be read as text, but not all bytes are one.
        expect(String(error)).toContain('text in UTF-8')
        continue
      }
      assert.deepStrictEqual(check(value, 0, undefined), value)
      read++
    }
  }
  expect(read).toBeGreaterThan(100)
})

/** A pair, or none when the one drawn is no schema at all. */
function drawn(seed: number) {
  try {
    return drawSchemaPairs(seed, 1)
  } catch (error) {
    if (error instanceof InvalidSchemaError) return []
    throw error
  }
}
