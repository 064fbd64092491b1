import {
  type AvroArray,
  type AvroMap,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  nameOf,
} from './avro-schema.ts'
import { defaultFactory } from './default-factory.ts'
import { isWrappedUnion, type JavaScriptKind, javaScriptKindOf } from './javascript-kind.ts'
import { minimumBytes, mostEmptyItems, mostNestedRecords } from './limits.ts'
import { enumCheck, isJsonBuffer, scalarCheck } from './scalar-checks.ts'
import { type Check, invalid, refuse, type ValidationTrail } from './validation-trail.ts'
import { isWellFormed } from './well-formed-text.ts'

/** Who gives the values: a reader's may be newer than the schema, a publisher's may not. */
export type Audience = 'reader' | 'publisher'

/** Compiles the check of a type's values. Records that hold themselves are compiled once. */
export function compileCheck(schema: AvroSchema, audience: Audience): Check {
  return new Compiler(audience).check(schema)
}

type Fields = Record<string, unknown>

class Compiler {
  readonly #records = new Map<AvroRecord, Check>()
  readonly #audience: Audience

  constructor(audience: Audience) {
    this.#audience = audience
  }

  check(schema: AvroSchema): Check {
    switch (schema.kind) {
      case 'record':
        return this.#record(schema)
      case 'array':
        return this.#array(schema)
      case 'map':
        return this.#map(schema)
      case 'union':
        return this.#union(schema)
      case 'enum':
        return enumCheck(schema, this.#audience === 'reader')
      default:
        return scalarCheck(schema)
    }
  }

  #record(record: AvroRecord): Check {
    const known = this.#records.get(record)
    if (known !== undefined) return known
    let compiled: Check | undefined
    const check: Check = (value, depth, trail) => (compiled ?? notYet)(value, depth, trail)
    this.#records.set(record, check)
    const fields = record.fields.map((field) => ({
      name: field.name,
      check: this.check(field.type),
      makeDefault: defaultFactory(field),
      // `constructor` and the like are found in every object; only looking for own properties tells whether it was given.
      inherited: field.name in Object.prototype,
    }))
    compiled = recordCheck(record.name, fields)
    return check
  }

  #array({ items }: AvroArray): Check {
    const check = this.check(items)
    const mostItems = minimumBytes(items) === 0 ? mostEmptyItems : Number.POSITIVE_INFINITY
    return (value, depth, trail) => {
      if (!Array.isArray(value)) return refuse(trail, 'an array', value)
      if (value.length > mostItems) return refuse(trail, `at most ${mostItems} items that take no space`, value)
      let copy: unknown[] | undefined
      let failed = false
      for (let i = 0; i < value.length; i++) {
        trail?.path.push(i)
        const given: unknown = value[i]
        const item = check(given, depth, trail)
        trail?.path.pop()
        if (item === invalid) {
          if (trail === undefined) return invalid
          failed = true
        } else if (copy !== undefined) copy.push(item)
        else if (item !== given) copy = [...value.slice(0, i), item]
      }
      return failed ? invalid : (copy ?? value)
    }
  }

  #map({ values }: AvroMap): Check {
    const check = this.check(values)
    return (value, depth, trail) => {
      if (!isObject(value)) return refuse(trail, 'an object of values by name', value)
      const names = Object.keys(value)
      let copy: Fields | undefined
      let failed = false
      for (const name of names) {
        trail?.path.push(name)
        const given = value[name]
        const item = isWellFormed(name)
          ? check(given, depth, trail)
          : refuse(trail, 'a name without half a surrogate pair', name)
        trail?.path.pop()
        if (item === invalid) {
          if (trail === undefined) return invalid
          failed = true
          continue
        }
        if (copy === undefined && item !== given) copy = Object.fromEntries(names.map((one) => [one, value[one]]))
        if (copy !== undefined) put(copy, name, item)
      }
      return failed ? invalid : (copy ?? value)
    }
  }

  #union(union: AvroUnion): Check {
    const branches = union.branches.map((branch) => ({ branch, name: nameOf(branch), check: this.check(branch) }))
    const nullable = branches.some(({ name }) => name === 'null')
    if (isWrappedUnion(union)) return wrappedCheck(nullable, new Map(branches.map(({ name, check }) => [name, check])))
    const others = branches.filter(({ name }) => name !== 'null')
    const [only] = others
    if (only === undefined) return scalarCheck({ kind: 'null', attributes: {} })
    if (others.length === 1) {
      const { check } = only
      return nullable ? (value, depth, trail) => (value === null ? value : check(value, depth, trail)) : check
    }
    const byKind = new Map<JavaScriptKind, Check>()
    for (const { branch, check } of others) if (branch.kind !== 'union') byKind.set(javaScriptKindOf(branch), check)
    return plainUnionCheck(nullable, byKind, branches.map(({ name }) => name).join(' or '))
  }
}

interface CheckedField {
  readonly name: string
  readonly check: Check
  readonly makeDefault: (() => unknown) | undefined
  readonly inherited: boolean
}

function recordCheck(recordName: string, fields: readonly CheckedField[]): Check {
  return (value, depth, trail) => {
    if (!isObject(value)) return refuse(trail, `an object with the fields of ${recordName}`, value)
    if (depth >= mostNestedRecords)
      return refuse(trail, `at most ${mostNestedRecords} records inside each other`, value)
    let copy: Fields | undefined
    let failed = false
    let present = 0
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]
      if (field === undefined) break
      const given = field.inherited && !Object.hasOwn(value, field.name) ? undefined : value[field.name]
      let result: unknown
      if (given === undefined) result = field.makeDefault === undefined ? missing(field, trail) : field.makeDefault()
      else {
        present++
        trail?.path.push(field.name)
        result = field.check(given, depth + 1, trail)
        trail?.path.pop()
      }
      if (result === invalid) {
        if (trail === undefined) return invalid
        failed = true
        continue
      }
      if (copy === undefined && result !== given) copy = firstOf(value, fields, i)
      if (copy !== undefined) put(copy, field.name, result)
    }
    if (failed) return invalid
    // What the schema does not know is left out, as Avro does.
    if (copy === undefined && hasMoreThan(present, value)) return firstOf(value, fields, fields.length)
    return copy ?? value
  }
}

function missing(field: CheckedField, trail: ValidationTrail | undefined): typeof invalid {
  trail?.path.push(field.name)
  trail?.note('a value', undefined)
  trail?.path.pop()
  return invalid
}

function hasMoreThan(count: number, value: Fields): boolean {
  for (const _name in value) if (--count < 0) return true
  // Fewer is as good a reason to copy: the rest was read from a prototype, whose getters may give something else next time.
  return count !== 0
}

function firstOf(value: Fields, fields: readonly CheckedField[], count: number): Fields {
  const copy: Fields = {}
  for (let i = 0; i < count; i++) {
    const field = fields[i]
    if (field !== undefined) put(copy, field.name, value[field.name])
  }
  return copy
}

function wrappedCheck(nullable: boolean, branches: ReadonlyMap<string, Check>): Check {
  const expected = `${nullable ? 'null or ' : ''}an object with one of the names ${[...branches.keys()].filter((name) => name !== 'null').join(', ')}`
  return (value, depth, trail) => {
    if (value === null && nullable) return value
    if (!isObject(value)) return refuse(trail, expected, value)
    const [name = '', ...more] = Object.keys(value)
    const check = more.length === 0 && name !== 'null' ? branches.get(name) : undefined
    if (check === undefined) return refuse(trail, expected, value)
    trail?.path.push(name)
    const given = value[name]
    const result = check(given, depth, trail)
    trail?.path.pop()
    if (result === invalid) return invalid
    return result === given ? value : { [name]: result }
  }
}

/** What text may stand for in JSON, tried in this order: itself first. */
const writtenAsText: readonly JavaScriptKind[] = ['text', 'timestamp', 'bigint', 'bytes']

function plainUnionCheck(nullable: boolean, byKind: ReadonlyMap<JavaScriptKind, Check>, expected: string): Check {
  const textReaders = writtenAsText.flatMap((kind) => byKind.get(kind) ?? [])
  return (value, depth, trail) => {
    if (value === null && nullable) return value
    const kind = kindOf(value)
    const check =
      kind === undefined ? undefined : kind === 'object' && isJsonBuffer(value) ? byKind.get('bytes') : byKind.get(kind)
    if (kind === 'text')
      for (const read of textReaders) {
        const result = read(value, depth, undefined)
        if (result !== invalid) return result
      }
    if (check !== undefined) return check(value, depth, trail)
    const fallback = kind === 'number' ? byKind.get('bigint') : kind === 'object' ? byKind.get('object') : undefined
    return fallback === undefined ? refuse(trail, expected, value) : fallback(value, depth, trail)
  }
}

function kindOf(value: unknown): JavaScriptKind | undefined {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'bigint':
      return 'bigint'
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return 'array'
      if (value instanceof Date) return 'timestamp'
      return value instanceof Uint8Array ? 'bytes' : 'object'
    default:
      return undefined
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Setting `__proto__` would change what the object is instead of giving it a field. */
function put(target: Fields, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
  else target[name] = value
}

const notYet: Check = () => invalid
