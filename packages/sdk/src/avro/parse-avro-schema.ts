import { InvalidSchemaError } from '../core/errors.ts'
import {
  type AvroAttributes,
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroNamed,
  type AvroPrimitive,
  type AvroPrimitiveKind,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  nameOf,
  primitiveKinds,
} from './avro-schema.ts'
import { matchesDefault } from './default-value.ts'
import { endlessRecord } from './endless-record.ts'

export interface ParseAvroOptions {
  /** Finds types that another document defines, by full name. @default none */
  readonly resolve?: (fullName: string) => AvroNamed | undefined
  /** What the document is called in messages, such as its file. @default 'schema' */
  readonly title?: string
  /**
   * For what others have registered: defaults are not looked at, since a writer's never matter for reading, and `null` for
   * `doc`, `namespace` or `aliases` counts as left out. Names are looked at as strictly as ever.
   * @default false
   */
  readonly lenient?: boolean
}

/**
 * Reads an Avro schema (specification 1.12) from its JSON document.
 *
 * @param document the parsed JSON, not text.
 * @throws InvalidSchemaError with the path of what is wrong.
 */
export function parseAvroSchema(document: unknown, options: ParseAvroOptions = {}): AvroSchema {
  const parser = new Parser(options.resolve ?? (() => undefined), options.title ?? 'schema', options.lenient ?? false)
  const schema = parser.schema(document, '', '')
  parser.checkWhole()
  return schema
}

type Json = { readonly [name: string]: unknown }

const simpleName = /^[A-Za-z_][A-Za-z0-9_]*$/
const fullNameRule = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const reserved = new Set<string>([...primitiveKinds, 'record', 'error', 'enum', 'fixed', 'array', 'map'])

/** What some libraries write as `null` when there is none. */
const mayBeNull = new Set(['doc', 'namespace', 'aliases'])

/** Types inside each other. */
const deepest = 200

const understood = {
  primitive: ['type', 'logicalType', 'precision', 'scale'],
  record: ['type', 'name', 'namespace', 'aliases', 'doc', 'fields'],
  enum: ['type', 'name', 'namespace', 'aliases', 'doc', 'symbols', 'default'],
  fixed: ['type', 'name', 'namespace', 'aliases', 'size', 'logicalType', 'precision', 'scale'],
  array: ['type', 'items'],
  map: ['type', 'values'],
  field: ['type', 'name', 'aliases', 'doc', 'default'],
} as const

class Parser {
  readonly #resolve: (fullName: string) => AvroNamed | undefined
  readonly #title: string
  readonly #lenient: boolean
  readonly #named = new Map<string, AvroNamed>()
  #depth = 0
  /** Looked at last: a default may be of a record that was still being read. */
  readonly #defaults: { readonly path: string; readonly type: AvroSchema; readonly value: unknown }[] = []

  constructor(resolve: (fullName: string) => AvroNamed | undefined, title: string, lenient: boolean) {
    this.#resolve = resolve
    this.#title = title
    this.#lenient = lenient
  }

  schema(json: unknown, namespace: string, path: string): AvroSchema {
    if (typeof json === 'string') return this.#reference(json, namespace, path)
    // Whoever works on the tree goes down it in the same way, and not all documents come from people who mean well.
    if (++this.#depth > deepest) this.#fail('', `it has more than ${deepest} types inside each other`)
    const schema = this.#written(json, namespace, path)
    this.#depth--
    return schema
  }

  #written(json: unknown, namespace: string, path: string): AvroSchema {
    if (Array.isArray(json)) return this.#union(json, namespace, path)
    const object = this.#object(json, path, 'a schema')
    const { type } = object
    if (typeof type !== 'string') {
      // `{"type": {"type": "string"}}` says no more than its inside, except for attributes, which nobody may lose.
      if (Object.keys(object).length === 1 && type !== undefined) return this.schema(type, namespace, path)
      this.#fail(path, `expected a schema with "type" as text, got ${describe(type)}`)
    }
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(object, namespace, path)
      case 'enum':
        return this.#enum(object, namespace, path)
      case 'fixed':
        return this.#fixed(object, namespace, path)
      case 'array':
        return {
          kind: 'array',
          items: this.schema(object.items, namespace, `${path}[]`),
          attributes: attributesOf(object, understood.array),
        }
      case 'map':
        return {
          kind: 'map',
          values: this.schema(object.values, namespace, `${path}{}`),
          attributes: attributesOf(object, understood.map),
        }
      default:
        return isPrimitive(type) ? this.#primitive(type, object) : this.#reference(type, namespace, path)
    }
  }

  /** What can only be told once all of it has been read. */
  checkWhole(): void {
    const records = [...this.#named.values()].filter((schema) => schema.kind === 'record')
    const endless = endlessRecord(records)
    if (endless !== undefined)
      this.#fail('', `record ${endless.name} holds itself without an end; put null, a list or a map in between`)
    if (this.#lenient) return
    for (const { path, type, value } of this.#defaults) {
      // The first branch only: older implementations refuse any other, and contracts are read by all kinds.
      const expected = type.kind === 'union' ? (type.branches[0] ?? type) : type
      if (!matchesDefault(expected, value))
        this.#fail(
          path,
          `its default ${JSON.stringify(value)} is not a ${nameOf(expected)}${type.kind === 'union' ? ', the first branch of its union; put the branch of the default first' : ''}`,
        )
    }
  }

  #primitive(kind: AvroPrimitiveKind, json: Json): AvroPrimitive {
    return { kind, ...logicalOf(json), attributes: attributesOf(json, understood.primitive) }
  }

  #reference(name: string, namespace: string, path: string): AvroSchema {
    if (isPrimitive(name)) return { kind: name, attributes: {} }
    const fullName = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
    const found = this.#named.get(fullName) ?? this.#resolve(fullName) ?? this.#named.get(name) ?? this.#resolve(name)
    if (found === undefined) this.#fail(path, `type "${fullName}" is not defined`)
    return found
  }

  #union(branches: readonly unknown[], namespace: string, path: string): AvroUnion {
    if (branches.length === 0) this.#fail(path, 'a union needs at least one branch')
    const read = branches.map((branch) => this.schema(branch, namespace, path))
    const seen = new Set<string>()
    for (const branch of read) {
      if (branch.kind === 'union') this.#fail(path, 'a union may not hold a union')
      const name = nameOf(branch)
      if (seen.has(name)) this.#fail(path, `its union holds ${name} twice`)
      seen.add(name)
    }
    return { kind: 'union', branches: read }
  }

  #record(json: Json, namespace: string, path: string): AvroRecord {
    const { name, aliases } = this.#names(json, namespace, path)
    const fields: AvroField[] = []
    const record: AvroRecord = {
      kind: 'record',
      name,
      aliases,
      doc: this.#doc(json, path),
      fields,
      attributes: attributesOf(json, understood.record),
    }
    this.#define(record, path)
    if (!Array.isArray(json.fields)) this.#fail(path, `record ${name} needs "fields" as a list`)
    const inside = namespaceOf(name)
    const seen = new Set<string>()
    for (const one of json.fields) {
      const field = this.#field(one, inside, path)
      if (seen.has(field.name)) this.#fail(path, `record ${name} has two fields "${field.name}"`)
      seen.add(field.name)
      fields.push(field)
    }
    return record
  }

  #field(json: unknown, namespace: string, parent: string): AvroField {
    const object = this.#object(json, parent, 'a field')
    const { name } = object
    if (typeof name !== 'string' || !simpleName.test(name))
      this.#fail(parent, `field name ${describe(name)} is not letters, digits and "_", not starting with a digit`)
    const path = parent === '' ? name : `${parent}.${name}`
    if (object.type === undefined) this.#fail(path, 'the field has no "type"')
    const type = this.schema(object.type, namespace, path)
    const hasDefault = Object.hasOwn(object, 'default')
    if (hasDefault) this.#defaults.push({ path, type, value: object.default })
    return {
      name,
      aliases: this.#texts(object.aliases, path, 'aliases'),
      doc: this.#doc(object, path),
      type,
      default: hasDefault ? { value: object.default } : undefined,
      attributes: attributesOf(object, understood.field),
    }
  }

  #enum(json: Json, namespace: string, path: string): AvroEnum {
    const { name, aliases } = this.#names(json, namespace, path)
    const symbols = this.#texts(json.symbols, path, 'symbols')
    if (symbols.length === 0) this.#fail(path, `enum ${name} needs at least one symbol`)
    for (const symbol of symbols)
      if (!simpleName.test(symbol)) this.#fail(path, `symbol ${JSON.stringify(symbol)} of enum ${name} is not a name`)
    if (new Set(symbols).size < symbols.length) this.#fail(path, `enum ${name} has a symbol twice`)
    const given = json.default
    const fallback = this.#lenient && !symbols.some((symbol) => symbol === given) ? undefined : given
    if (fallback !== undefined && (typeof fallback !== 'string' || !symbols.includes(fallback)))
      this.#fail(path, `the default ${JSON.stringify(fallback)} of enum ${name} is none of its symbols`)
    const schema: AvroEnum = {
      kind: 'enum',
      name,
      aliases,
      doc: this.#doc(json, path),
      symbols,
      default: fallback,
      attributes: attributesOf(json, understood.enum),
    }
    this.#define(schema, path)
    return schema
  }

  #fixed(json: Json, namespace: string, path: string): AvroFixed {
    const { name, aliases } = this.#names(json, namespace, path)
    const { size } = json
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
      this.#fail(path, `fixed ${name} needs "size" as a whole number of bytes, got ${describe(size)}`)
    const schema: AvroFixed = {
      kind: 'fixed',
      name,
      aliases,
      size,
      ...logicalOf(json),
      attributes: attributesOf(json, understood.fixed),
    }
    this.#define(schema, path)
    return schema
  }

  #names(json: Json, namespace: string, path: string): { name: string; aliases: readonly string[] } {
    const { name: given } = json
    if (typeof given !== 'string' || !fullNameRule.test(given))
      this.#fail(path, `the name ${describe(given)} is not letters, digits and "_", with dots between parts`)
    const { namespace: own = namespace } = json
    if (typeof own !== 'string') this.#fail(path, `"namespace" must be text, got ${describe(own)}`)
    if (own !== '' && !fullNameRule.test(own)) this.#fail(path, `the namespace ${JSON.stringify(own)} is not a name`)
    const name = given.includes('.') || own === '' ? given : `${own}.${given}`
    if (reserved.has(name)) this.#fail(path, `the name "${name}" is taken by Avro itself`)
    const space = namespaceOf(name)
    const aliases = this.#texts(json.aliases, path, 'aliases').map((alias) =>
      alias.includes('.') || space === '' ? alias : `${space}.${alias}`,
    )
    return { name, aliases }
  }

  #define(schema: AvroNamed, path: string): void {
    if (this.#named.has(schema.name)) this.#fail(path, `the type "${schema.name}" is defined twice`)
    this.#named.set(schema.name, schema)
  }

  #doc(json: Json, path: string): string | undefined {
    const { doc } = json
    if (doc !== undefined && typeof doc !== 'string') this.#fail(path, `"doc" must be text, got ${describe(doc)}`)
    return doc
  }

  #texts(value: unknown, path: string, what: string): readonly string[] {
    if (value === undefined) return []
    if (!Array.isArray(value)) this.#fail(path, `"${what}" must be a list of texts, got ${describe(value)}`)
    return value.map((item) => {
      if (typeof item !== 'string') this.#fail(path, `"${what}" must hold texts, got ${describe(item)}`)
      return item
    })
  }

  #object(json: unknown, path: string, what: string): Json {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      this.#fail(path, `expected ${what}, got ${describe(json)}`)
    // Safe: every value of it is looked at as unknown.
    const object = json as Json
    if (!this.#lenient) return object
    return Object.fromEntries(Object.entries(object).filter(([name, value]) => value !== null || !mayBeNull.has(name)))
  }

  #fail(path: string, message: string): never {
    throw new InvalidSchemaError(`${this.#title}${path === '' ? '' : ` at ${path}`}: ${message}`)
  }
}

function isPrimitive(name: string): name is AvroPrimitiveKind {
  return primitiveKinds.some((kind) => kind === name)
}

function namespaceOf(fullName: string): string {
  const dot = fullName.lastIndexOf('.')
  return dot === -1 ? '' : fullName.slice(0, dot)
}

function logicalOf({ logicalType, precision, scale }: Json) {
  return {
    ...(typeof logicalType === 'string' && { logicalType }),
    ...(typeof precision === 'number' && { precision }),
    ...(typeof scale === 'number' && { scale }),
  }
}

function attributesOf(json: Json, known: readonly string[]): AvroAttributes {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !known.includes(name)))
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
