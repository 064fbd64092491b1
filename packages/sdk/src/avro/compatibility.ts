import { type AvroPath, type AvroRecord, type AvroSchema, isNamed, nameOf } from './avro-schema.ts'
import { describeIncompatibility } from './compatibility-message.ts'

/** Avro's own names for the ways in which two schemas do not fit. */
export type IncompatibilityKind =
  | 'NAME_MISMATCH'
  | 'FIXED_SIZE_MISMATCH'
  | 'MISSING_ENUM_SYMBOLS'
  | 'READER_FIELD_MISSING_DEFAULT_VALUE'
  | 'TYPE_MISMATCH'
  | 'MISSING_UNION_BRANCH'

/** One way in which data written with one schema cannot be read with another. */
export interface Incompatibility {
  readonly kind: IncompatibilityKind
  /** Where, in the words of the reader's schema: `data.lines[].price`; empty for the schema itself. */
  readonly path: AvroPath
  /** The other places of a type that is used several times; at most 20 of them. */
  readonly alsoAt: readonly AvroPath[]
  /** Where, as Avro's Java library says it: a JSON pointer such as `/fields/7/type/items/fields/2`. */
  readonly location: string
  /** What does not fit and which data fails, in one sentence that calls the two sides reader and writer. */
  readonly message: string
  /** What data must look like to fail, from the outside in; none when all of it fails. */
  readonly when: readonly DataCondition[]
  /** Full name of the reader's record that is nearest around it; `undefined` outside of all records. */
  readonly within: string | undefined
  /** The part of the reader's schema: the record around a missing field, otherwise the type. */
  readonly reader: AvroSchema
  /** The part of the writer's schema. */
  readonly writer: AvroSchema
  /** What is missing, as text: symbols of an enum, the name of a field, the name of a branch. */
  readonly missing: readonly string[]
  /** For a branch of a union: why the branch of the same name cannot be read. Avro itself names only the union. */
  readonly causes: readonly Incompatibility[]
}

/** What a piece of data must look like to be touched by an incompatibility. */
export interface DataCondition {
  readonly path: AvroPath
  /** `some`: the list or map there has entries. `is`: the union there holds this type. `symbol`: the enum there is one of these. */
  readonly holds: 'some' | 'is' | 'symbol'
  readonly names: readonly string[]
}

/**
 * Every way in which data written with `writer` cannot be read with `reader`, by Apache Avro's rules; none means that all of it
 * can. The verdict is that of Avro's Java library, so logical types, docs and the order of fields do not matter.
 */
export function checkCompatibility(schemas: {
  readonly reader: AvroSchema
  readonly writer: AvroSchema
}): readonly Incompatibility[] {
  return [...new Checker().pair(schemas.reader, schemas.writer, top)]
}

/** The findings behind others: what to mend, without the unions around it. */
export function rootCauses(findings: Iterable<Incompatibility>): readonly Incompatibility[] {
  const roots = new Set<Incompatibility>()
  const seen = new Set<Incompatibility>()
  const visit = (finding: Incompatibility) => {
    if (seen.has(finding)) return
    seen.add(finding)
    if (finding.causes.length === 0) roots.add(finding)
    for (const cause of finding.causes) visit(cause)
  }
  for (const finding of findings) visit(finding)
  return [...roots]
}

interface Place {
  readonly path: AvroPath
  readonly location: string
  readonly when: readonly DataCondition[]
  readonly within: string | undefined
}

type Findings = ReadonlySet<Incompatibility>

const top: Place = { path: '', location: '', when: [], within: undefined }
const none: Findings = new Set()

const promotions: Partial<Record<AvroSchema['kind'], readonly AvroSchema['kind'][]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
}

class Checker {
  /** A pair that is being compared counts as readable: recursion adds nothing. What a pair came to is kept, and said once. */
  readonly #pairs = new Map<AvroSchema, Map<AvroSchema, { readonly first: Place; findings: Findings }>>()
  readonly #places = new Map<Incompatibility, AvroPath[]>()

  pair(reader: AvroSchema, writer: AvroSchema, place: Place): Findings {
    let known = this.#pairs.get(reader)
    if (known === undefined) {
      known = new Map()
      this.#pairs.set(reader, known)
    }
    const before = known.get(writer)
    if (before !== undefined) {
      this.#repeat(before.findings, before.first.path, place.path)
      return before.findings
    }
    const result = { first: place, findings: none }
    known.set(writer, result)
    result.findings = this.#compare(reader, writer, place)
    return result.findings
  }

  /** Notes that all of this was found at a second place too. */
  #repeat(findings: Findings, first: AvroPath, second: AvroPath): void {
    if (first === second) return
    for (const finding of rootCauses(findings)) {
      const others = this.#places.get(finding)
      if (others === undefined) continue
      for (const path of [finding.path, ...others]) {
        const also = second + path.slice(first.length)
        if (others.length >= 20) break
        if (path.startsWith(first) && path !== also && !others.includes(also)) others.push(also)
      }
    }
  }

  #compare(reader: AvroSchema, writer: AvroSchema, place: Place): Findings {
    if (reader.kind === 'union' && writer.kind === 'union') return this.#unions(reader, writer, place)
    if (writer.kind === 'union') {
      return all(writer.branches.map((branch, index) => this.pair(reader, branch, inBranch(place, branch, index))))
    }
    if (reader.kind === 'union') return this.#intoUnion(reader.branches, reader, writer, place)
    if (reader.kind === 'array' && writer.kind === 'array')
      return this.pair(reader.items, writer.items, inside(place, '[]', '/items'))
    if (reader.kind === 'map' && writer.kind === 'map')
      return this.pair(reader.values, writer.values, inside(place, '{}', '/values'))
    if (reader.kind === 'record' && writer.kind === 'record')
      return all([this.#names(reader, writer, place), this.#fields(reader, writer, place)])
    if (reader.kind === 'enum' && writer.kind === 'enum') {
      const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
      return all([
        this.#names(reader, writer, place),
        missing.length === 0 || reader.default !== undefined
          ? none
          : this.#found('MISSING_ENUM_SYMBOLS', at(place, '/symbols'), reader, writer, {
              missing,
              when: { path: place.path, holds: 'symbol', names: missing },
            }),
      ])
    }
    if (reader.kind === 'fixed' && writer.kind === 'fixed') {
      return all([
        this.#names(reader, writer, place),
        reader.size === writer.size ? none : this.#found('FIXED_SIZE_MISMATCH', at(place, '/size'), reader, writer),
      ])
    }
    if (reader.kind === writer.kind || promotions[reader.kind]?.includes(writer.kind)) return none
    return this.#found('TYPE_MISMATCH', place, reader, writer)
  }

  /** Every branch that may be written needs one that reads it. */
  #unions(
    reader: Extract<AvroSchema, { kind: 'union' }>,
    writer: Extract<AvroSchema, { kind: 'union' }>,
    place: Place,
  ): Findings {
    return all(
      writer.branches.map((branch, index) => {
        const inner = inBranch(place, branch, index)
        const findings = this.pair(reader, branch, inner)
        if (findings.size === 0) return none
        // What was found is that the union lacks the branch, once more; the reasons behind it are what counts.
        const causes = [...findings].flatMap((finding) => finding.causes)
        return this.#found('MISSING_UNION_BRANCH', inner, reader, writer, { missing: [nameOf(branch)], causes })
      }),
    )
  }

  #intoUnion(branches: readonly AvroSchema[], reader: AvroSchema, writer: AvroSchema, place: Place): Findings {
    const causes: Incompatibility[] = []
    for (const branch of branches) {
      const findings = this.pair(branch, writer, place)
      if (findings.size === 0) return none
      if (sameName(branch, writer)) causes.push(...findings)
    }
    return this.#found('MISSING_UNION_BRANCH', place, reader, writer, {
      missing: [nameOf(writer)],
      causes: causes.filter((cause) => cause.kind !== 'NAME_MISMATCH'),
    })
  }

  #fields(reader: AvroRecord, writer: AvroRecord, place: Place): Findings {
    return all(
      reader.fields.map((field, index) => {
        const own = inField(place, reader.name, field.name, index)
        const candidates = [field.name, ...field.aliases]
        const matching = writer.fields.filter((one) => candidates.includes(one.name))
        const [written] = matching
        // Avro renames by aliases before it matches, and cannot have two of one name.
        if (matching.length > 1)
          return this.#found('NAME_MISMATCH', own, reader, writer, { missing: matching.map((one) => one.name) })
        if (written !== undefined) return this.pair(field.type, written.type, at(own, '/type'))
        if (field.default !== undefined) return none
        return this.#found('READER_FIELD_MISSING_DEFAULT_VALUE', own, reader, writer, { missing: [field.name] })
      }),
    )
  }

  #names(reader: AvroSchema, writer: AvroSchema, place: Place): Findings {
    return sameName(reader, writer)
      ? none
      : this.#found('NAME_MISMATCH', at(place, '/name'), reader, writer, { missing: [nameOf(writer)] })
  }

  #found(
    kind: IncompatibilityKind,
    place: Place,
    reader: AvroSchema,
    writer: AvroSchema,
    more: {
      readonly missing?: readonly string[]
      readonly when?: DataCondition
      readonly causes?: readonly Incompatibility[]
    } = {},
  ): Findings {
    const alsoAt: AvroPath[] = []
    const finding: Incompatibility = {
      kind,
      path: place.path,
      alsoAt,
      location: place.location === '' ? '/' : place.location,
      // Other places of the same type may still be found.
      get message() {
        return describeIncompatibility(this, { reader: 'the reader', writer: 'the writer' })
      },
      when: more.when === undefined ? place.when : [...place.when, more.when],
      within: place.within,
      reader,
      writer,
      missing: more.missing ?? [],
      causes: more.causes ?? [],
    }
    this.#places.set(finding, alsoAt)
    return new Set([finding])
  }
}

/** Avro matches types by their names without the namespace, or by an alias with it. */
function sameName(reader: AvroSchema, writer: AvroSchema): boolean {
  if (reader.kind !== writer.kind) return false
  if (!isNamed(reader)) return true
  const full = nameOf(writer)
  return simpleName(reader.name) === simpleName(full) || reader.aliases.includes(full)
}

function simpleName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1)
}

/** A set, because a type that is used in many places is found wanting in all of them at once. */
function all(parts: readonly Findings[]): Findings {
  const some = parts.filter((part) => part.size > 0)
  if (some.length <= 1) return some[0] ?? none
  return new Set(some.flatMap((part) => [...part]))
}

const at = (place: Place, step: string): Place => ({ ...place, location: place.location + step })

const inside = (place: Place, mark: string, step: string): Place => ({
  ...place,
  path: place.path + mark,
  location: place.location + step,
  when: [...place.when, { path: place.path, holds: 'some', names: [] }],
})

const inField = (place: Place, within: string, name: string, index: number): Place => ({
  path: place.path === '' ? name : `${place.path}.${name}`,
  location: `${place.location}/fields/${index}`,
  when: place.when,
  within,
})

const inBranch = (place: Place, branch: AvroSchema, index: number): Place => ({
  ...place,
  location: `${place.location}/${index}`,
  when: [...place.when, { path: place.path, holds: 'is', names: [nameOf(branch)] }],
})
