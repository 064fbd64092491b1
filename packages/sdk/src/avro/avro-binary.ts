import { InvalidEventError } from '../core/errors.ts'
import type { AvroSchema } from './avro-schema.ts'
import { BinaryReader } from './binary-reader.ts'
import { BinaryWriter, UnwritableValueError } from './binary-writer.ts'
import { compileReader } from './compile-reader.ts'
import { compileWriter } from './compile-writer.ts'

/**
 * Makes a function that writes values of a type as Avro does, without any frame. Slow to make and quick to call: keep it.
 *
 * @throws InvalidEventError from the function, when a value is not of the type.
 */
export function avroEncoder(schema: AvroSchema): (value: unknown) => Buffer {
  const out = new BinaryWriter()
  const write = compileWriter(schema)
  const none = Buffer.alloc(0)
  return (value) => {
    out.start(none)
    try {
      write(out, value)
    } catch (cause) {
      if (!(cause instanceof UnwritableValueError)) throw cause
      throw new InvalidEventError('a value', [{ path: '', message: cause.message }], { cause })
    }
    return out.finish()
  }
}

/**
 * Makes a function that reads, in the form of one schema, what was written with another. Slow to make and quick to call: keep it.
 * Bounded by the bytes: whatever they say, no more time and memory is spent than their number is worth.
 *
 * @param reader the form wanted; the default is the one that was written
 * @throws UndecodableRecordError from the function, when bytes are cut, damaged, left over, or have no place in the form wanted.
 */
export function avroDecoder(writer: AvroSchema, reader: AvroSchema = writer): (bytes: Buffer) => unknown {
  const input = new BinaryReader()
  const read = compileReader(writer, reader)
  return (bytes) => {
    input.open(bytes, 0)
    const value = read(input)
    input.end()
    return value
  }
}
