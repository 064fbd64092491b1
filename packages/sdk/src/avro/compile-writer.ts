import { type AvroRecord, type AvroSchema, type AvroUnion, nameOf } from './avro-schema.ts'
import type { BinaryWriter } from './binary-writer.ts'
import { isWrappedUnion, type JavaScriptKind, javaScriptKindOf, logicalFormOf } from './javascript-kind.ts'
import { minimumBytes } from './limits.ts'
import { SourceText } from './source-text.ts'

/**
 * Writes one value.
 *
 * @throws UnwritableValueError when it is not of the type.
 */
export type Write = (out: BinaryWriter, value: unknown) => void

/**
 * Compiles the writing of a type's values into one function. As source text, because the same thing as closures over lists of
 * fields takes more than twice as long.
 */
export function compileWriter(schema: AvroSchema): Write {
  const source = new SourceText()
  const body = new WriterSource(source).write(schema, 'value')
  source.define(`function write(out, value) {\n${body}\n}`)
  // Safe: it is the function defined in the line above.
  return source.evaluate('write') as Write
}

class WriterSource {
  readonly #source: SourceText
  readonly #records = new Map<AvroRecord, string>()

  constructor(source: SourceText) {
    this.#source = source
  }

  /** Statements that write the value of an expression, which is evaluated once. */
  write(schema: AvroSchema, value: string): string {
    switch (schema.kind) {
      case 'record':
        return `${this.#record(schema)}(out, ${value})`
      case 'enum': {
        const indexes = this.#source.constant(new Map(schema.symbols.map((symbol, i) => [symbol, i])))
        const v = this.#source.name()
        const expected = JSON.stringify(`a symbol of ${schema.name}`)
        return `const ${v} = ${value}; out.index(${indexes}.get(${v}) ?? out.refuse(${expected}, ${v}))`
      }
      case 'array': {
        const v = this.#source.name()
        const i = this.#source.name()
        return `const ${v} = ${value}
if (!Array.isArray(${v})) out.refuse('an array', ${v})
if (${v}.length > 0) {
out.items(${v}.length, ${minimumBytes(schema.items) === 0})
for (let ${i} = 0; ${i} < ${v}.length; ${i}++) {
${this.write(schema.items, `${v}[${i}]`)}
} }
out.small(0)`
      }
      case 'map': {
        const v = this.#source.name()
        const names = this.#source.name()
        const name = this.#source.name()
        return `const ${v} = ${value}
if (typeof ${v} !== 'object' || ${v} === null || Array.isArray(${v})) out.refuse('an object', ${v})
const ${names} = Object.keys(${v})
if (${names}.length > 0) {
out.items(${names}.length, false)
for (const ${name} of ${names}) {
out.text(${name})
${this.write(schema.values, `${v}[${name}]`)}
} }
out.small(0)`
      }
      case 'union':
        return isWrappedUnion(schema) ? this.#wrapped(schema, value) : this.#plain(schema, value)
      default: {
        const form = schema.kind === 'string' ? undefined : logicalFormOf(schema)
        if (form === 'decimal') {
          const size = schema.kind === 'fixed' ? schema.size : undefined
          return `out.decimal(${value}, ${schema.precision ?? 0}, ${schema.scale ?? 0}, ${size})`
        }
        if (form !== undefined) return `out.${form}(${value})`
        if (schema.kind === 'fixed') return `out.fixed(${value}, ${schema.size})`
        return `out.${schema.kind === 'string' ? 'text' : schema.kind}(${value})`
      }
    }
  }

  #record(record: AvroRecord): string {
    const known = this.#records.get(record)
    if (known !== undefined) return known
    const name = this.#source.name()
    this.#records.set(record, name)
    const fields = record.fields.map((field) => `{ ${this.write(field.type, this.#fieldOf('r', field.name))} }`)
    this.#source.define(`function ${name}(out, r) {
if (typeof r !== 'object' || r === null) out.refuse(${JSON.stringify(`an object with the fields of ${record.name}`)}, r)
out.enter()
${fields.join('\n')}
out.leave()
}`)
    return name
  }

  #fieldOf(record: string, name: string): string {
    const read = `${record}[${JSON.stringify(name)}]`
    // Every object has these, so that a missing one would look like one of a wrong type.
    return name in Object.prototype ? `(Object.hasOwn(${record}, ${JSON.stringify(name)}) ? ${read} : undefined)` : read
  }

  #wrapped(union: AvroUnion, value: string): string {
    const v = this.#source.name()
    const names = this.#source.name()
    const branches = union.branches.map((branch, i) => {
      const name = nameOf(branch)
      if (name === 'null') return ''
      const inner = this.write(branch, `${v}[${JSON.stringify(name)}]`)
      return `case ${JSON.stringify(name)}: { out.index(${i}); ${inner}; break }`
    })
    const others = `if (typeof ${v} !== 'object' || ${v} === null) out.refuse('an object named by its branch', ${v})
const ${names} = Object.keys(${v})
switch (${names}.length === 1 ? ${names}[0] : '') {
${branches.join('\n')}
default: out.refuse('an object with one name, that of its branch', ${v})
}`
    const nullIndex = union.branches.findIndex(({ kind }) => kind === 'null')
    if (nullIndex === -1) return `const ${v} = ${value}\n${others}`
    return `const ${v} = ${value}\nif (${v} === null) out.index(${nullIndex}); else {\n${others}\n}`
  }

  #plain(union: AvroUnion, value: string): string {
    const v = this.#source.name()
    const cases = union.branches.map((branch, i) => {
      if (branch.kind === 'union') return ''
      const condition = conditions[javaScriptKindOf(branch)]
      return `if (${condition.replaceAll(/\bv\b/g, v)}) { out.index(${i}); ${branch.kind === 'null' ? '' : this.write(branch, v)} } else`
    })
    const [first, second] = union.branches
    if (union.branches.length === 2 && first !== undefined && second !== undefined) {
      // Nullable, which is nearly every union: whether the other one fits is checked where it is written.
      const nullIndex = first.kind === 'null' ? 0 : second.kind === 'null' ? 1 : -1
      const other = nullIndex === 0 ? second : first
      if (nullIndex !== -1)
        return `const ${v} = ${value}
if (${v} === null) out.small(${nullIndex}); else { out.small(${1 - nullIndex}); ${this.write(other, v)} }`
    }
    const expected = JSON.stringify(union.branches.map(nameOf).join(' or '))
    return `const ${v} = ${value}\n${cases.join('\n')}\nout.refuse(${expected}, ${v})`
  }
}

/** Whether `v` is of a kind. */
const conditions: Readonly<Record<JavaScriptKind, string>> = {
  null: 'v === null',
  boolean: "typeof v === 'boolean'",
  number: "typeof v === 'number'",
  bigint: "typeof v === 'bigint'",
  text: "typeof v === 'string'",
  timestamp: 'v instanceof Date',
  bytes: 'v instanceof Uint8Array',
  array: 'Array.isArray(v)',
  object:
    "typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Date) && !(v instanceof Uint8Array)",
}
