/** Schemas and changes of them, drawn from a seed: the same pairs on every computer. */
import { InvalidSchemaError } from '../../core/errors.ts'
import type { AvroSchema } from '../avro-schema.ts'
import { matchesDefault } from '../default-value.ts'
import { parseAvroSchema } from '../parse-avro-schema.ts'
import { printAvroSchema } from '../print-avro-schema.ts'

export interface SchemaPair {
  readonly before: unknown
  readonly after: unknown
  /** What was done to the one to get the other. */
  readonly changes: readonly string[]
}

export function drawSchemaPairs(seed: number, count: number): readonly SchemaPair[] {
  const random = seededRandom(seed)
  const pairs: SchemaPair[] = []
  while (pairs.length < count)
    try {
      pairs.push(new PairMaker(random).draw())
    } catch (error) {
      // A change can take away what ended a record that holds itself; such a schema is none, and is drawn anew.
      if (!(error instanceof InvalidSchemaError)) throw error
    }
  return pairs
}

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Name in keyof T]: Mutable<T[Name]> }
    : T
type Schema = Mutable<AvroSchema>
type Kind<K extends AvroSchema['kind']> = Extract<Schema, { kind: K }>
type Field = Kind<'record'>['fields'][number]

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const

class PairMaker {
  readonly #random: () => number
  readonly #named: Extract<Schema, { name: string }>[] = []
  #count = 0

  constructor(random: () => number) {
    this.#random = random
  }

  draw(): SchemaPair {
    const root = this.#chance(0.9) ? this.#record(0) : this.#type(0)
    const before = print(root)
    // Shared and recursive types stay shared and recursive in the copy.
    const changed = structuredClone(root)
    const changes: string[] = []
    const wanted = 1 + this.#below(3)
    for (let tries = 0; changes.length < wanted && tries < 30; tries++) {
      const change = this.#change(changed)
      if (change !== undefined) changes.push(change)
    }
    this.#mendDefaults(changed)
    return { before, after: print(changed), changes }
  }

  #type(depth: number): Schema {
    const dice = this.#random()
    if (depth > 3 || dice < 0.3) return this.#primitive()
    if (dice < 0.4) return { kind: 'array', items: this.#type(depth + 1), attributes: {} }
    if (dice < 0.47) return { kind: 'map', values: this.#type(depth + 1), attributes: {} }
    if (dice < 0.62) return this.#enum()
    if (dice < 0.67) return this.#fixed()
    if (dice < 0.77) return this.#record(depth + 1)
    if (dice < 0.85 && this.#named.length > 0) return this.#wrapped(this.#pick(this.#named))
    return this.#union(depth)
  }

  /** A type that was defined before may be one around this place: never plainly inside itself. */
  #wrapped(named: Schema): Schema {
    if (named.kind !== 'record') return named
    const dice = this.#below(3)
    if (dice === 0) return { kind: 'array', items: named, attributes: {} }
    if (dice === 1) return { kind: 'map', values: named, attributes: {} }
    return { kind: 'union', branches: [primitive('null'), named] }
  }

  #primitive(): Schema {
    const schema = primitive(this.#pick(primitives))
    if (schema.kind === 'long' && this.#chance(0.3)) schema.logicalType = 'timestamp-millis'
    return schema
  }

  #union(depth: number): Schema {
    const branches: Schema[] = []
    for (let index = 1 + this.#below(4); index > 0; index--) {
      const dice = this.#random()
      const branch = dice < 0.6 ? this.#primitive() : dice < 0.7 ? this.#enum() : this.#type(depth + 1)
      addBranch(branches, branch)
    }
    if (branches.length === 0) branches.push(primitive('null'))
    return { kind: 'union', branches }
  }

  #record(depth: number): Kind<'record'> {
    const record: Kind<'record'> = { kind: 'record', ...this.#name(), doc: undefined, fields: [], attributes: {} }
    this.#named.push(record)
    for (let index = this.#below(5); index > 0; index--) record.fields.push(this.#field(depth))
    return record
  }

  #field(depth: number): Field {
    const field: Field = {
      name: `f${this.#count++}`,
      aliases: [],
      doc: undefined,
      type: this.#type(depth + 1),
      default: undefined,
      attributes: {},
    }
    if (this.#chance(0.3)) giveDefault(field)
    return field
  }

  #enum(): Kind<'enum'> {
    const symbols = ['A', 'B', 'C', 'D'].slice(0, 1 + this.#below(4))
    const schema: Kind<'enum'> = {
      kind: 'enum',
      ...this.#name(),
      doc: undefined,
      symbols,
      default: this.#chance(0.5) ? this.#pick(symbols) : undefined,
      attributes: {},
    }
    this.#named.push(schema)
    return schema
  }

  #fixed(): Kind<'fixed'> {
    const schema: Kind<'fixed'> = { kind: 'fixed', ...this.#name(), size: 1 + this.#below(4), attributes: {} }
    this.#named.push(schema)
    return schema
  }

  #name() {
    return { name: `${this.#pick(['one', 'two'])}.T${this.#count++}`, aliases: [] as string[] }
  }

  /** One change somewhere, or `undefined` when the place drawn does not allow the change drawn. */
  #change(root: Schema): string | undefined {
    const place = this.#pick(placesOf(root))
    const change = this.#changeOf(place.schema, place.replace)
    return change === undefined ? undefined : `${place.path}: ${change}`
  }

  #changeOf(schema: Schema, replace: (schema: Schema) => void): string | undefined {
    const dice = this.#random()
    if (dice < 0.12) {
      const other = this.#type(3)
      replace(other)
      return `becomes ${other.kind}`
    }
    if (dice < 0.22 && schema.kind !== 'union') {
      const branches: Schema[] = []
      addBranch(branches, primitive('null'))
      addBranch(branches, schema)
      replace({ kind: 'union', branches })
      return 'becomes nullable'
    }
    switch (schema.kind) {
      case 'record':
        return this.#changeRecord(schema)
      case 'enum':
        return this.#changeEnum(schema)
      case 'fixed':
        if (this.#chance(0.4)) return this.#rename(schema)
        schema.size += 1
        return 'grows'
      case 'union':
        return this.#changeUnion(schema, replace)
      case 'array':
        replace({ kind: 'map', values: schema.items, attributes: {} })
        return 'list becomes map'
      case 'map':
        replace({ kind: 'array', items: schema.values, attributes: {} })
        return 'map becomes list'
      default: {
        const wider = { int: 'long', long: 'double', float: 'double', string: 'bytes', bytes: 'string' } as const
        const kind =
          schema.kind in wider && this.#chance(0.6)
            ? // `in` has just looked.
              wider[schema.kind as keyof typeof wider]
            : this.#pick(primitives)
        replace(primitive(kind))
        return `${schema.kind} becomes ${kind}`
      }
    }
  }

  #changeRecord(record: Kind<'record'>): string {
    const dice = this.#below(8)
    const index = this.#below(Math.max(record.fields.length, 1))
    const field = record.fields[index]
    if (field === undefined || dice < 2) {
      const added = this.#field(2)
      if (this.#chance(0.5)) giveDefault(added)
      record.fields.splice(index, 0, added)
      return `gets ${added.name}${added.default === undefined ? '' : ' with a default'}`
    }
    if (dice === 2) return this.#rename(record)
    if (dice === 3) {
      record.fields.splice(index, 1)
      return `loses ${field.name}`
    }
    if (dice === 4) {
      record.fields.reverse()
      return 'turns its fields round'
    }
    if (dice === 5) {
      field.default = undefined
      return `${field.name} loses its default`
    }
    const former = field.name
    field.name = `f${this.#count++}`
    const withAlias = this.#chance(0.6)
    if (withAlias) field.aliases.push(former)
    return `${former} becomes ${field.name}${withAlias ? ' with an alias' : ''}`
  }

  #rename(schema: Extract<Schema, { name: string }>): string {
    const former = schema.name
    const [space, last] = former.split('.')
    schema.name = this.#chance(0.3) ? `${space}s.${last}` : `${space}.T${this.#count++}`
    const withAlias = this.#chance(0.5)
    if (withAlias) schema.aliases.push(former)
    return `${former} becomes ${schema.name}${withAlias ? ' with an alias' : ''}`
  }

  #changeEnum(schema: Kind<'enum'>): string {
    const dice = this.#below(5)
    if (dice === 0) return this.#rename(schema)
    if (dice === 1) {
      schema.default = schema.default === undefined ? schema.symbols[0] : undefined
      return 'gets or loses its default'
    }
    if (dice === 2 && schema.symbols.length > 1) {
      const gone = schema.symbols.pop()
      if (schema.default === gone) schema.default = undefined
      return `loses ${gone}`
    }
    const symbol = `S${this.#count++}`
    schema.symbols.push(symbol)
    return `gets ${symbol}`
  }

  #changeUnion(union: Kind<'union'>, replace: (schema: Schema) => void): string | undefined {
    const dice = this.#below(4)
    if (dice === 0) {
      union.branches.reverse()
      return 'turns its branches round'
    }
    if (dice === 1 && union.branches.length > 1) {
      union.branches.splice(this.#below(union.branches.length), 1)
      return 'loses a branch'
    }
    if (dice === 2) {
      const branch = this.#pick(union.branches)
      replace(branch)
      return `becomes ${branch.kind} alone`
    }
    return addBranch(union.branches, this.#type(3)) ? 'gets a branch' : undefined
  }

  #mendDefaults(root: Schema): void {
    for (const { schema } of placesOf(root)) {
      if (schema.kind !== 'record') continue
      for (const field of schema.fields) if (field.default !== undefined) giveDefault(field)
    }
  }

  #pick<T>(values: readonly T[]): T {
    // No list here is empty.
    return values[this.#below(values.length)] as T
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }
}

interface PlaceOfSchema {
  readonly path: string
  readonly schema: Schema
  replace(schema: Schema): void
}

/** Every place below the root, each named type once. */
function placesOf(root: Schema): PlaceOfSchema[] {
  const places: PlaceOfSchema[] = []
  const seen = new Set<Schema>()
  const visit = (schema: Schema, path: string, replace: (schema: Schema) => void) => {
    if (seen.has(schema)) return
    seen.add(schema)
    places.push({ path, schema, replace })
    if (schema.kind === 'array')
      visit(schema.items, `${path}[]`, (other) => {
        schema.items = other
      })
    if (schema.kind === 'map')
      visit(schema.values, `${path}{}`, (other) => {
        schema.values = other
      })
    if (schema.kind === 'record')
      for (const field of schema.fields)
        visit(field.type, `${path}.${field.name}`, (other) => {
          field.type = other
        })
    if (schema.kind === 'union')
      for (const branch of [...schema.branches])
        visit(branch, path, (other) => {
          const others = schema.branches.filter((one) => one !== branch)
          if (addBranch(others, other)) schema.branches = others
        })
  }
  // The root itself keeps its place; what it is made of changes.
  visit(root, '', () => undefined)
  return places
}

function primitive(kind: (typeof primitives)[number]): Kind<(typeof primitives)[number]> {
  return { kind, attributes: {} }
}

const branchName = (schema: Schema) => ('name' in schema ? schema.name : schema.kind)

/** Unions hold no unions, and nothing twice. */
function addBranch(branches: Schema[], branch: Schema): boolean {
  if (branch.kind === 'union' || branches.some((one) => branchName(one) === branchName(branch))) return false
  branches.push(branch)
  return true
}

function giveDefault(field: Field): void {
  const value = defaultOf(field.type)
  field.default = matchesDefault(field.type, value) ? { value } : undefined
}

function defaultOf(type: Schema): unknown {
  switch (type.kind) {
    case 'null':
      return null
    case 'boolean':
      return true
    case 'int':
    case 'long':
      return 7
    case 'float':
    case 'double':
      return 1.5
    case 'bytes':
    case 'string':
      return 'x'
    case 'fixed':
      return 'y'.repeat(type.size)
    case 'enum':
      return type.symbols[0]
    case 'array':
      return []
    case 'map':
      return {}
    case 'union':
      return type.branches[0] === undefined ? undefined : defaultOf(type.branches[0])
    case 'record':
      // Of a record that holds itself there may be none.
      return undefined
  }
}

/** A document that stands by itself, and can be read. */
function print(schema: Schema): unknown {
  const document: unknown = JSON.parse(JSON.stringify(printAvroSchema(schema)))
  parseAvroSchema(document)
  return document
}

/** A small generator of numbers from 0 up to 1; the quality is enough for drawing test cases. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
