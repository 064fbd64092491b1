import type { AvroField, AvroRecord, AvroSchema } from '../avro/avro-schema.ts'
import { isNamed } from '../avro/avro-schema.ts'
import { describeType } from '../avro/compatibility-message.ts'

/** One difference between two versions of what an event carries, in words. */
export interface FieldChange {
  /** Such as `lines[].price`; empty for the record itself. */
  readonly path: string
  readonly change: 'added' | 'removed' | 'renamed' | 'changed'
  /** What, without a full stop: `string, null by default`, `was int, is long`. */
  readonly what: string
}

/** What is other in the second than in the first, field by field; types that are used several times are looked into once. */
export function diffRecords(before: AvroRecord, now: AvroRecord): readonly FieldChange[] {
  return [...new Diff().types(before, now, '')]
}

class Diff {
  readonly #seen = new Map<AvroSchema, Set<AvroSchema>>()

  #record(schema: AvroSchema): AvroRecord | undefined {
    if (schema.kind === 'record') return schema
    return schema.kind === 'union' ? schema.branches.find((branch) => branch.kind === 'record') : undefined
  }

  *types(before: AvroSchema, now: AvroSchema, path: string): Generator<FieldChange> {
    const known = this.#seen.get(before) ?? new Set()
    if (known.has(now)) return
    this.#seen.set(before, known.add(now))
    if (before.kind !== now.kind) {
      yield changed(path, `was ${describeType(before)}, is ${describeType(now)}`)
      // A record that became nullable is the same inside.
      const [inner, other] = [this.#record(before), this.#record(now)]
      if (inner !== undefined && other !== undefined) yield* this.types(inner, other, path)
      return
    }
    if (before.kind === 'record' && now.kind === 'record') yield* this.#records(before, now, path)
    else if (before.kind === 'enum' && now.kind === 'enum') yield* enums(before, now, path)
    else if (before.kind === 'array' && now.kind === 'array') yield* this.types(before.items, now.items, `${path}[]`)
    else if (before.kind === 'map' && now.kind === 'map') yield* this.types(before.values, now.values, `${path}{}`)
    else if (before.kind === 'union' && now.kind === 'union') yield* this.#unions(before.branches, now.branches, path)
    else if (describeExactly(before) !== describeExactly(now))
      yield changed(path, `was ${describeExactly(before)}, is ${describeExactly(now)}`)
  }

  *#records(before: AvroRecord, now: AvroRecord, path: string): Generator<FieldChange> {
    if (before.name !== now.name) yield changed(path, `the record ${before.name} is called ${now.name}`)
    const kept = new Set<string>()
    for (const field of now.fields) {
      const at = path === '' ? field.name : `${path}.${field.name}`
      const former =
        before.fields.find(({ name }) => name === field.name) ??
        before.fields.find(({ name }) => field.aliases.includes(name))
      if (former === undefined) {
        yield { path: at, change: 'added', what: describeField(field) }
        continue
      }
      kept.add(former.name)
      if (former.name !== field.name) yield { path: at, change: 'renamed', what: `was ${former.name}` }
      yield* this.types(former.type, field.type, at)
      yield* details(former, field, at)
    }
    for (const field of before.fields)
      if (!kept.has(field.name))
        yield {
          path: path === '' ? field.name : `${path}.${field.name}`,
          change: 'removed',
          what: describeField(field),
        }
  }

  *#unions(before: readonly AvroSchema[], now: readonly AvroSchema[], path: string): Generator<FieldChange> {
    const text = (branches: readonly AvroSchema[]) => branches.map(describeExactly).join(' or ')
    if (text(before) !== text(now)) yield changed(path, `was ${text(before)}, is ${text(now)}`)
    for (const branch of now) {
      const former = before.find((one) => describeType(one) === describeType(branch))
      if (former !== undefined && isNamed(former)) yield* this.types(former, branch, path)
    }
  }
}

function* enums(
  before: Extract<AvroSchema, { kind: 'enum' }>,
  now: Extract<AvroSchema, { kind: 'enum' }>,
  path: string,
): Generator<FieldChange> {
  const added = now.symbols.filter((symbol) => !before.symbols.includes(symbol))
  const gone = before.symbols.filter((symbol) => !now.symbols.includes(symbol))
  if (before.name !== now.name) yield changed(path, `the enum ${before.name} is called ${now.name}`)
  if (added.length > 0) yield changed(path, `may also be ${added.join(', ')}`)
  if (gone.length > 0) yield changed(path, `may no longer be ${gone.join(', ')}`)
  if (before.default !== now.default)
    yield changed(
      path,
      `an unknown symbol was read as ${before.default ?? 'an error'}, is ${now.default ?? 'an error'}`,
    )
}

function* details(before: AvroField, now: AvroField, path: string): Generator<FieldChange> {
  const [was, is] = [describeDefault(before), describeDefault(now)]
  if (was !== is) yield changed(path, `by default was ${was}, is ${is}`)
  if ((before.attributes.pii === true) !== (now.attributes.pii === true))
    yield changed(path, now.attributes.pii === true ? 'is marked personal' : 'is no longer marked personal')
  if (before.doc !== now.doc) yield changed(path, `says now: ${now.doc ?? 'nothing'}`)
}

function changed(path: string, what: string): FieldChange {
  return { path, change: 'changed', what }
}

function describeField(field: AvroField): string {
  const pii = field.attributes.pii === true ? ', personal' : ''
  return `${describeType(field.type)}${field.default === undefined ? '' : `, ${describeDefault(field)} by default`}${pii}`
}

function describeDefault(field: AvroField): string {
  return field.default === undefined ? 'nothing' : JSON.stringify(field.default.value)
}

function describeExactly(schema: AvroSchema): string {
  if (schema.kind === 'fixed') return `${describeType(schema)} of ${schema.size} bytes`
  if (!('logicalType' in schema) || schema.logicalType !== 'decimal') return describeType(schema)
  return `${describeType(schema)} with ${schema.precision ?? '?'} digits, ${schema.scale ?? 0} after the point`
}
