import type { AvroRecord, AvroSchema } from './avro-schema.ts'
import type { BinaryReader } from './binary-reader.ts'
import { minimumBytes } from './limits.ts'
import { type ReadPlan, type RecordPlan, type ResolveOptions, resolveSchemas } from './resolve-schemas.ts'
import { literalName, SourceText } from './source-text.ts'

/**
 * Reads one value.
 *
 * @throws UndecodableRecordError when the bytes are not one, or hold something that the reader's schema has no place for.
 */
export type Read = (input: BinaryReader) => unknown

/** Compiles reading what was written with one schema as another into one function; see `compileWriter` for why. */
export function compileReader(writer: AvroSchema, reader: AvroSchema, options: ResolveOptions = {}): Read {
  const source = new SourceText()
  const code = new ReaderSource(source).read(resolveSchemas(writer, reader, options))
  source.define(`function read(input) {\n${code.statements}\nreturn ${code.value}\n}`)
  // Safe: it is the function defined in the line above.
  return source.evaluate('read') as Read
}

/** Statements, and an expression without effects that holds after them. */
interface Code {
  readonly statements: string
  readonly value: string
}

class ReaderSource {
  readonly #source: SourceText
  readonly #records = new Map<RecordPlan, string>()
  readonly #skippedRecords = new Map<AvroRecord, string>()

  constructor(source: SourceText) {
    this.#source = source
  }

  read(plan: ReadPlan): Code {
    const v = this.#source.name()
    switch (plan.step) {
      case 'fail':
        return { statements: this.#fail(plan.message), value: 'undefined' }
      case 'value':
        return { statements: `const ${v} = input.${plan.method}(${plan.args.join(', ')})`, value: v }
      case 'enum':
        return { statements: this.#enum(plan.symbols, v), value: v }
      case 'array': {
        const n = this.#source.name()
        const item = this.read(plan.items)
        const block = `input.block(${plan.fewestBytes})`
        const statements = `const ${v} = []
for (let ${n} = ${block}; ${n} > 0; ${n} = ${block}) for (; ${n} > 0; ${n}--) {
${item.statements}
${v}.push(${item.value})
}`
        return { statements, value: v }
      }
      case 'map':
        return { statements: this.#map(plan.values, plan.bare, v), value: v }
      case 'union': {
        const branches = plan.branches.map((branch, i) => {
          const { statements, value } = this.read(branch)
          return `case ${i}: {\n${statements}\n${v} = ${value}\nbreak }`
        })
        const statements = `let ${v}\nswitch (input.index(${plan.branches.length})) {\n${branches.join('\n')}\n}`
        return { statements, value: v }
      }
      case 'wrap': {
        const inner = this.read(plan.value)
        return { statements: inner.statements, value: `{ ${JSON.stringify(plan.name)}: ${inner.value} }` }
      }
      case 'record':
        return { statements: `const ${v} = ${this.#record(plan)}(input)`, value: v }
    }
  }

  #record(plan: RecordPlan): string {
    const known = this.#records.get(plan)
    if (known !== undefined) return known
    const name = this.#source.name()
    this.#records.set(plan, name)
    const values: string[] = []
    const statements = plan.written.map((field, i) => {
      if ('skipped' in field) return this.#skip(field.skipped)
      const code = this.read(field.plan)
      values[i] = code.value
      return code.statements
    })
    const fields = plan.fields.map(({ name, from }) => {
      const value = typeof from === 'number' ? values[from] : `${this.#source.constant(from)}()`
      return `${literalName(name)}: ${value}`
    })
    this.#source.define(`function ${name}(input) {
${plan.recursive ? 'input.enter()' : ''}
${statements.join('\n')}
${plan.recursive ? 'input.leave()' : ''}
return { ${fields.join(', ')} }
}`)
    return name
  }

  #enum(symbols: readonly { readonly symbol?: string; readonly message?: string }[], v: string): string {
    const texts = this.#source.constant(symbols.map(({ symbol }) => symbol))
    const read = `input.index(${symbols.length})`
    if (symbols.every(({ symbol }) => symbol !== undefined)) return `const ${v} = ${texts}[${read}]`
    const messages = this.#source.constant(symbols.map(({ message }) => message))
    const i = this.#source.name()
    return `const ${i} = ${read}; const ${v} = ${texts}[${i}]; if (${v} === undefined) input.mismatch(${messages}[${i}])`
  }

  #map(values: ReadPlan, bare: boolean, v: string): string {
    const n = this.#source.name()
    const name = this.#source.name()
    const item = this.read(values)
    // A name and a value: at least a byte for the name's length.
    const block = 'input.block(1)'
    const put = bare
      ? `${v}[${name}] = ${item.value}`
      : `if (${name} === '__proto__') Object.defineProperty(${v}, ${name}, { value: ${item.value}, enumerable: true, writable: true, configurable: true })
else ${v}[${name}] = ${item.value}`
    const empty = bare ? `${n} === 0 ? ${this.#source.constant(emptyBareMap)} : Object.create(null)` : '{}'
    return `let ${n} = ${block}
const ${v} = ${empty}
for (; ${n} > 0; ${n} = ${block}) for (; ${n} > 0; ${n}--) {
const ${name} = input.name()
${item.statements}
${put}
}`
  }

  #fail(message: string): string {
    return `input.mismatch(${JSON.stringify(message)})`
  }

  /** Statements that pass over a value nobody asked for. */
  #skip(schema: AvroSchema): string {
    switch (schema.kind) {
      case 'null':
        return ''
      case 'boolean':
        return 'input.skip(1)'
      case 'int':
      case 'long':
      case 'enum':
        return 'input.skipVarint()'
      case 'float':
        return 'input.skip(4)'
      case 'double':
        return 'input.skip(8)'
      case 'bytes':
      case 'string':
        return 'input.skipBytes()'
      case 'fixed':
        return `input.skip(${schema.size})`
      case 'union': {
        const branches = schema.branches.map((branch, i) => `case ${i}: { ${this.#skip(branch)}; break }`)
        return `switch (input.index(${schema.branches.length})) { ${branches.join('\n')} }`
      }
      case 'array':
        return this.#skipBlocks(minimumBytes(schema.items), this.#skip(schema.items))
      case 'map':
        return this.#skipBlocks(1, `input.skipBytes(); ${this.#skip(schema.values)}`)
      case 'record':
        return `${this.#skippedRecord(schema)}(input)`
    }
  }

  #skipBlocks(fewestBytes: number, item: string): string {
    const n = this.#source.name()
    const block = `input.block(${fewestBytes})`
    return `for (let ${n} = ${block}; ${n} > 0; ${n} = ${block}) for (; ${n} > 0; ${n}--) { ${item} }`
  }

  #skippedRecord(record: AvroRecord): string {
    const known = this.#skippedRecords.get(record)
    if (known !== undefined) return known
    const name = this.#source.name()
    this.#skippedRecords.set(record, name)
    const fields = record.fields.map(({ type }) => `{ ${this.#skip(type)} }`)
    this.#source.define(`function ${name}(input) {\ninput.enter()\n${fields.join('\n')}\ninput.leave()\n}`)
    return name
  }
}

const emptyBareMap: Readonly<Record<string, never>> = Object.freeze(Object.create(null))
