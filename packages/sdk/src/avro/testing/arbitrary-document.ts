/** Documents of schemas with all that a schema can say: namespaces and none, references, docs, aliases, attributes, defaults. */
import fc from 'fast-check'

type Json = Record<string, unknown>

/** A type before it and those inside it have names. */
type Sketch =
  | { readonly kind: 'plain'; readonly document: unknown; readonly default: unknown }
  | { readonly kind: 'enum' | 'fixed'; readonly space: string | undefined; readonly more: Json }
  | {
      readonly kind: 'record'
      readonly space: string | undefined
      readonly more: Json
      readonly fields: readonly Field[]
    }
  | { readonly kind: 'array' | 'map'; readonly inside: Sketch; readonly more: Json }
  | { readonly kind: 'union'; readonly branches: readonly Sketch[] }
  | { readonly kind: 'again'; readonly which: number }

interface Field {
  readonly type: Sketch
  readonly more: Json
  readonly hasDefault: boolean
}

const attributes = fc.record(
  { note: fc.string(), pii: fc.boolean(), deep: fc.constant({ type: 'string', name: 'a.b' }) },
  { requiredKeys: [] },
)
const described = fc
  .tuple(attributes, fc.record({ doc: fc.string(), aliases: fc.constant(['Old', 'far.Old']) }, { requiredKeys: [] }))
  .map(([more, own]): Json => ({ ...more, ...own }))
const space = fc.constantFrom(undefined, undefined, '', 'one', 'one.two')

const plain = fc
  .constantFrom<readonly [unknown, unknown]>(
    ['null', null],
    ['boolean', true],
    ['int', 1],
    ['long', 2],
    ['float', 1.5],
    ['double', 2.5],
    ['bytes', '\u00ff'],
    ['string', 'text'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 0],
    [{ type: 'int', logicalType: 'date' }, 0],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, '\u0001'],
    [{ type: 'string', logicalType: 'uuid' }, ''],
    [{ type: 'long', js: 'bigint' }, 3],
    [{ type: 'string', logicalType: 'of-our-own', pii: true }, 'a'],
    [{ type: 'bytes', precision: 3 }, ''],
  )
  .map(([document, fallback]): Sketch => ({ kind: 'plain', document, default: fallback }))

const { sketch } = fc.letrec<{ sketch: Sketch; record: Sketch }>((tie) => ({
  record: fc.record({
    kind: fc.constant('record' as const),
    space,
    more: described,
    fields: fc.array(fc.record({ type: tie('sketch'), more: described, hasDefault: fc.boolean() }), { maxLength: 4 }),
  }),
  sketch: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    plain,
    fc.record({ kind: fc.constantFrom('enum' as const, 'fixed' as const), space, more: described }),
    fc.record({ kind: fc.constant('again' as const), which: fc.nat(20) }),
    tie('record'),
    fc.record({ kind: fc.constantFrom('array' as const, 'map' as const), inside: tie('sketch'), more: attributes }),
    fc.record({
      kind: fc.constant('union' as const),
      branches: fc.array(tie('sketch'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}))

/** Valid documents, as somebody may have written them. */
export const avroDocuments: fc.Arbitrary<unknown> = sketch.map((root) => new Namer().write(root, '').document)

interface Written {
  readonly document: unknown
  /** What two branches of a union may not share. */
  readonly name: string
  readonly default: { readonly value: unknown } | undefined
}

class Namer {
  readonly #known: { readonly name: string; readonly open: () => boolean }[] = []

  write(sketch: Sketch, around: string): Written {
    switch (sketch.kind) {
      case 'plain': {
        const { document } = sketch
        const name = typeof document === 'string' ? document : String((document as Json).type) // an object otherwise
        return { document, name, default: { value: sketch.default } }
      }
      case 'enum': {
        const name = this.#name(sketch.space, around, () => false)
        const document = { type: 'enum', ...name.written, ...sketch.more, symbols: ['A', 'B'], default: 'B' }
        return { document, name: name.full, default: { value: 'A' } }
      }
      case 'fixed': {
        const name = this.#name(sketch.space, around, () => false)
        return {
          document: { type: 'fixed', ...name.written, ...sketch.more, size: 1 },
          name: name.full,
          default: { value: '\u0001' },
        }
      }
      case 'record': {
        let open = true
        const name = this.#name(sketch.space, around, () => open)
        const inside = name.full.slice(0, Math.max(name.full.lastIndexOf('.'), 0))
        const fields = sketch.fields.map(({ type, more, hasDefault }, i) => {
          const { document, default: fallback } = this.write(type, inside)
          // Of a field, an alias has no namespace.
          const { aliases, ...rest } = more
          return {
            name: `f${i}`,
            ...(hasDefault && fallback !== undefined && { default: fallback.value }),
            type: document,
            ...rest,
            ...(aliases !== undefined && { aliases: [`old${i}`] }),
          }
        })
        open = false
        return {
          document: { type: 'record', ...name.written, ...sketch.more, fields },
          name: name.full,
          default: undefined,
        }
      }
      case 'array':
        return {
          document: { type: 'array', items: this.write(sketch.inside, around).document, ...sketch.more },
          name: 'array',
          default: { value: [] },
        }
      case 'map':
        return {
          document: { type: 'map', values: this.write(sketch.inside, around).document, ...sketch.more },
          name: 'map',
          default: { value: {} },
        }
      case 'union': {
        const branches = new Map<string, Written>()
        for (const branch of sketch.branches) {
          if (branch.kind === 'union') continue
          const written = this.write(branch, around)
          // One that is left out may have defined what a later one names.
          const held = branches.has(written.name) ? this.#hold(written, around) : written
          branches.set(held.name, held)
        }
        if (branches.size === 0) branches.set('null', { document: 'null', name: 'null', default: { value: null } })
        const all = [...branches.values()]
        return { document: all.map(({ document }) => document), name: 'union', default: all[0]?.default }
      }
      case 'again': {
        const known = this.#known[sketch.which % Math.max(this.#known.length, 1)]
        // From within a namespace there is no name for what is in none.
        const nameless = known !== undefined && !known.name.includes('.') && around !== ''
        if (known === undefined || nameless) return { document: 'int', name: 'int', default: { value: 0 } }
        const written = { document: known.name, name: known.name, default: undefined }
        // A record may hold itself in a list, never plainly.
        return known.open() ? wrap(written) : written
      }
    }
  }

  /** Puts it into a record of its own, whose name no other branch has. */
  #hold({ document }: Written, around: string): Written {
    const name = this.#name(undefined, around, () => false)
    const fields = [{ name: 'held', type: document }]
    return { document: { type: 'record', ...name.written, fields }, name: name.full, default: undefined }
  }

  #name(space: string | undefined, around: string, open: () => boolean) {
    const simple = `T${this.#known.length}`
    const own = space ?? around
    const full = own === '' ? simple : `${own}.${simple}`
    this.#known.push({ name: full, open })
    return { full, written: { name: simple, ...(space !== undefined && { namespace: space }) } }
  }
}

function wrap({ document }: Written): Written {
  return { document: { type: 'array', items: document }, name: 'array', default: { value: [] } }
}
