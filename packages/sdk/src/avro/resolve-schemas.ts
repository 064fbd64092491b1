import {
  type AvroField,
  type AvroNamed,
  type AvroRecord,
  type AvroSchema,
  type AvroUnion,
  isNamed,
  nameOf,
} from './avro-schema.ts'
import { defaultFactory } from './default-factory.ts'
import { isWrappedUnion, logicalFormOf } from './javascript-kind.ts'
import { minimumBytes } from './limits.ts'

/** How what was written with one schema is read as another: what generated code does, step by step. */
export type ReadPlan =
  /** The two do not fit here; found out when a record comes to this place, since many never do. */
  | { readonly step: 'fail'; readonly message: string }
  /** One call of the reader. */
  | { readonly step: 'value'; readonly method: string; readonly args: readonly (number | undefined)[] }
  /** By the index that was written: the symbol, or a message. */
  | { readonly step: 'enum'; readonly symbols: readonly { readonly symbol?: string; readonly message?: string }[] }
  | { readonly step: 'array'; readonly items: ReadPlan; readonly fewestBytes: number }
  | { readonly step: 'map'; readonly values: ReadPlan; readonly bare: boolean }
  /** By the index that was written. */
  | { readonly step: 'union'; readonly branches: readonly ReadPlan[] }
  | { readonly step: 'wrap'; readonly name: string; readonly value: ReadPlan }
  | RecordPlan

export interface RecordPlan {
  readonly step: 'record'
  readonly name: string
  /** In the order they were written. */
  readonly written: readonly WrittenField[]
  /** In the order of the reader: the place in `written`, or how the default is made. */
  readonly fields: readonly { readonly name: string; readonly from: number | (() => unknown) }[]
  /** Whether it holds itself. */
  readonly recursive: boolean
}

export type WrittenField = { readonly plan: ReadPlan } | { readonly skipped: AvroSchema }

export interface ResolveOptions {
  /** Maps of the reader that become objects without a prototype. @default none */
  readonly bareMaps?: ReadonlySet<AvroSchema>
}

/** Plans reading by the rules of the Avro specification 1.12, chapter "Schema Resolution". */
export function resolveSchemas(writer: AvroSchema, reader: AvroSchema, options: ResolveOptions = {}): ReadPlan {
  return new Resolution(options.bareMaps ?? new Set()).plan(writer, reader, '')
}

type Branch = Exclude<AvroSchema, AvroUnion>
type FailPlan = Extract<ReadPlan, { step: 'fail' }>
type OpenRecord = { -readonly [Key in keyof RecordPlan]: RecordPlan[Key] }

class Resolution {
  readonly #bareMaps: ReadonlySet<AvroSchema>
  readonly #records = new Map<AvroRecord, Map<AvroRecord, OpenRecord | FailPlan>>()
  readonly #unfinished = new Set<RecordPlan>()

  constructor(bareMaps: ReadonlySet<AvroSchema>) {
    this.#bareMaps = bareMaps
  }

  plan(writer: AvroSchema, reader: AvroSchema, path: string): ReadPlan {
    if (writer.kind === 'union')
      return { step: 'union', branches: writer.branches.map((branch) => this.plan(branch, reader, path)) }
    if (reader.kind === 'union') return this.#chooseBranch(writer, reader, path)
    if (writer.kind === 'record' && reader.kind === 'record') {
      if (!hasNameOf(reader, writer)) return mismatch(writer, reader, path)
      return this.#record(writer, reader, path)
    }
    if (writer.kind === 'array' && reader.kind === 'array')
      return {
        step: 'array',
        items: this.plan(writer.items, reader.items, `${path}[]`),
        fewestBytes: minimumBytes(writer.items),
      }
    if (writer.kind === 'map' && reader.kind === 'map')
      return {
        step: 'map',
        values: this.plan(writer.values, reader.values, `${path}{}`),
        bare: this.#bareMaps.has(reader),
      }
    if (writer.kind === 'enum' && reader.kind === 'enum') {
      if (!hasNameOf(reader, writer)) return mismatch(writer, reader, path)
      const symbols = writer.symbols.map((written) => {
        const symbol = reader.symbols.includes(written) ? written : reader.default
        return symbol === undefined
          ? {
              message: `${at(path)}: enum ${reader.name} has no symbol ${written} and no default for those it does not know`,
            }
          : { symbol }
      })
      return { step: 'enum', symbols }
    }
    return scalarPlan(writer, reader, path)
  }

  #record(writer: AvroRecord, reader: AvroRecord, path: string): ReadPlan {
    let byReader = this.#records.get(writer)
    if (byReader === undefined) {
      byReader = new Map()
      this.#records.set(writer, byReader)
    }
    const known = byReader.get(reader)
    if (known !== undefined) {
      if (known.step === 'record' && this.#unfinished.has(known)) known.recursive = true
      return known
    }
    // Whether the two fit is decided before any field is planned: a plan inside could otherwise hold one that is given up.
    const { targets, sources } = matchFields(writer, reader)
    const defaults = new Map(
      reader.fields.map((field) => [field, sources.has(field) ? undefined : defaultFactory(field)]),
    )
    const missing = reader.fields.filter((field) => !sources.has(field) && defaults.get(field) === undefined)
    if (missing.length > 0) {
      const names = missing.map(({ name }) => `"${name}"`).join(', ')
      const failed: FailPlan = {
        step: 'fail',
        message: `${at(path)}: record ${writer.name} was written without ${names}, for which there is no default`,
      }
      byReader.set(reader, failed)
      return failed
    }
    const plan: OpenRecord = { step: 'record', name: reader.name, written: [], fields: [], recursive: false }
    byReader.set(reader, plan)
    this.#unfinished.add(plan)
    plan.written = writer.fields.map((field, i): WrittenField => {
      const target = targets[i]
      if (target === undefined) return { skipped: field.type }
      return { plan: this.plan(field.type, target.type, path === '' ? target.name : `${path}.${target.name}`) }
    })
    plan.fields = reader.fields.map((field) => ({
      name: field.name,
      from: sources.get(field) ?? defaults.get(field) ?? 0,
    }))
    this.#unfinished.delete(plan)
    return plan
  }

  #chooseBranch(writer: Branch, reader: AvroUnion, path: string): ReadPlan {
    const candidates = reader.branches.filter((branch): branch is Branch => branch.kind !== 'union')
    // The same type first, by its whole name before its last part, then one that it can be promoted to.
    const ordered = [
      ...candidates.filter((branch) => branch.kind === writer.kind && nameOf(branch) === nameOf(writer)),
      ...candidates.filter((branch) => branch.kind === writer.kind && nameOf(branch) !== nameOf(writer)),
      ...candidates.filter((branch) => branch.kind !== writer.kind),
    ]
    let nearest: FailPlan | undefined
    for (const branch of ordered) {
      const value = this.plan(writer, branch, path)
      if (value.step === 'fail') {
        if (branch.kind === writer.kind) nearest ??= value
        continue
      }
      return branch.kind !== 'null' && isWrappedUnion(reader) ? { step: 'wrap', name: nameOf(branch), value } : value
    }
    return nearest ?? mismatch(writer, reader, path)
  }
}

/** Which field of the reader takes each field of the writer, and from which each is taken. */
function matchFields(writer: AvroRecord, reader: AvroRecord) {
  const sources = new Map<AvroField, number>()
  const targets = writer.fields.map((field, i) => {
    const target =
      reader.fields.find(({ name }) => name === field.name) ??
      reader.fields.find((candidate) => !sources.has(candidate) && candidate.aliases.includes(field.name))
    if (target !== undefined) sources.set(target, i)
    return target
  })
  return { targets, sources }
}

/** By the last part of the name, as the specification has it, or by an alias. */
function hasNameOf(reader: AvroNamed, writer: AvroNamed): boolean {
  return lastPart(reader.name) === lastPart(writer.name) || reader.aliases.includes(writer.name)
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function scalarPlan(writer: Branch, reader: Branch, path: string): ReadPlan {
  if (writer.kind === 'record' || writer.kind === 'enum' || writer.kind === 'array' || writer.kind === 'map')
    return mismatch(writer, reader, path)
  const value = (method: string, ...args: (number | undefined)[]): ReadPlan => ({ step: 'value', method, args })
  const { kind } = writer
  switch (reader.kind) {
    case 'null':
    case 'boolean':
      return kind === reader.kind ? value(kind) : mismatch(writer, reader, path)
    case 'int':
    case 'long': {
      if (kind !== 'int' && (kind !== 'long' || reader.kind === 'int')) return mismatch(writer, reader, path)
      const form = logicalFormOf(reader)
      if ((form === 'timestamp' || form === 'date') && isOtherLogical(writer, reader))
        return mismatch(writer, reader, path)
      return value(form ?? reader.kind)
    }
    case 'float':
    case 'double':
      if (kind === 'int' || kind === 'long') return value(reader.kind === 'float' ? 'roundedFloat' : 'rounded')
      return kind === 'float' || kind === reader.kind ? value(kind) : mismatch(writer, reader, path)
    case 'string':
      return kind === 'string' || kind === 'bytes' ? value('text') : mismatch(writer, reader, path)
    case 'bytes':
    case 'fixed': {
      const size = reader.kind === 'fixed' ? reader.size : undefined
      if (reader.kind === 'fixed') {
        if (writer.kind !== 'fixed' || writer.size !== reader.size || !hasNameOf(reader, writer))
          return mismatch(writer, reader, path)
      } else if (kind !== 'bytes' && kind !== 'string') return mismatch(writer, reader, path)
      const form = logicalFormOf(reader)
      if (form === 'decimal') {
        if (isOtherLogical(writer, reader)) return mismatch(writer, reader, path)
        const { precision = 0, scale = 0 } = reader
        const written = writer.logicalType === 'decimal' ? (writer.scale ?? 0) : scale
        return value('decimal', precision, scale, written, size)
      }
      if (size === undefined) return value('bytes')
      return form === 'uuid' ? value('uuid') : value('fixed', size)
    }
    default:
      return mismatch(writer, reader, path)
  }
}

/** Microseconds read as milliseconds would be a moment, only not the one that was meant. */
function isOtherLogical(writer: { readonly logicalType?: string }, reader: { readonly logicalType?: string }): boolean {
  return writer.logicalType !== undefined && writer.logicalType !== reader.logicalType
}

function mismatch(writer: AvroSchema, reader: AvroSchema, path: string): ReadPlan {
  return { step: 'fail', message: `${at(path)}: ${describe(writer)} was written, ${describe(reader)} is expected` }
}

function at(path: string): string {
  return path === '' ? 'the record' : path
}

function describe(schema: AvroSchema): string {
  if (schema.kind === 'union') return `one of ${schema.branches.map(describe).join(', ')}`
  if (schema.kind === 'fixed') return `fixed ${schema.name} of ${schema.size} byte(s)`
  if (isNamed(schema)) return `${schema.kind} ${schema.name}`
  return 'logicalType' in schema ? `${schema.kind} (${schema.logicalType})` : schema.kind
}
