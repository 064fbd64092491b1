import { type AvroNamed, type AvroSchema, isNamed } from '../avro/avro-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import type { Contracts, EventContract, TopicContract } from './contracts.ts'
import { type GeneratedFile, generatedHeader } from './generated-file.ts'
import { retentionText } from './retention.ts'
import { docComment } from './typescript-doc.ts'
import { lineWidth, literal, textLiteral } from './typescript-literal.ts'
import type { TypeScriptNames } from './typescript-names.ts'
import { inputDeclaration, typeDeclaration } from './typescript-type.ts'

const topicsPath = 'topics.ts'

/** Writes the files, once everything has its name. */
export class TypeScriptWriter {
  readonly #names: TypeScriptNames
  readonly #types: readonly AvroNamed[]
  readonly #extension: string

  constructor(names: TypeScriptNames, types: readonly AvroNamed[], extension: string) {
    this.#names = names
    this.#types = types
    this.#extension = extension
  }

  event(event: EventContract): GeneratedFile {
    const { type, version, topic, key, data, file } = event
    const path = this.#names.place(data)
    const own = this.#typesAt(path)
    const topicName = this.#names.topic(topic.name)
    const imports = [
      "import { defineEvent } from '@evtkit/sdk'\nimport { avroSchema } from '@evtkit/sdk/avro'\n",
      ...this.#imports(path, own, [[topicsPath, `import { ${topicName} } from`]]),
    ]
    const definition = `${docComment([data.doc], 0)}export const ${this.#names.definition(event)} = defineEvent({
  type: ${textLiteral(type)},
  version: ${textLiteral(version)},
  topic: ${topicName},
  schema: avroSchema<${[this.#names.type(data), ...this.#inputsOf([data])].join(', ')}>(${literal(printAvroSchema(data), 2, lineWidth)}),
  key: (data) => data.${key},
})
`
    const declarations = [data, ...own.filter((other) => other !== data)].flatMap((one) => this.#declarations(one))
    return { path, text: [generatedHeader(file) + imports.join(''), ...declarations, definition].join('\n') }
  }

  shared(path: string): GeneratedFile {
    const own = this.#typesAt(path)
    const imports = this.#imports(path, own, [])
    const declarations = own.flatMap((type) => this.#declarations(type))
    const header = generatedHeader(own.map(({ name }) => name).join(', '))
    return { path, text: [header + imports.join(''), ...declarations].join('\n') }
  }

  topics(topics: readonly TopicContract[]): GeneratedFile {
    const declarations = topics.map((topic) => {
      const { name, partitions, retentionMs, cleanup, external, description, owner } = topic
      const doc = docComment([`${description}. Owned by ${owner}, kept ${keptFor(retentionMs)}.`], 0)
      const options = [
        `name: ${textLiteral(name)}`,
        `partitions: ${partitions}`,
        `retentionMs: ${grouped(retentionMs)}`,
        ...(cleanup === 'delete' ? [] : [`cleanup: ${textLiteral(cleanup)}`]),
        ...(external ? ['external: true'] : []),
      ]
      const start = `${doc}export const ${this.#names.topic(name)} = defineTopic({`
      const line = ` ${options.join(', ')} })\n`
      const fits = start.length - doc.length + line.length <= lineWidth + 1
      return start + (fits ? line : `\n${options.map((option) => `  ${option},\n`).join('')}})\n`)
    })
    const header = `${generatedHeader('topics.yaml')}import { defineTopic } from '@evtkit/sdk'\n`
    return {
      path: topicsPath,
      text: [topics.length === 0 ? generatedHeader('topics.yaml') : header, ...declarations].join('\n'),
    }
  }

  index({ topics, events }: Contracts, files: readonly GeneratedFile[]): GeneratedFile {
    const latest = [...new Map(events.map((event) => [event.type, event])).values()]
    const topicNames = topics.map(({ name }) => this.#names.topic(name))
    const definitions = latest.map((event) => this.#names.definition(event))
    const imports = [
      ...latest.map((event) => [this.#names.place(event.data), `{ ${this.#names.definition(event)} }`] as const),
      [topicsPath, list('{', [...topicNames].sort(compareText), '}', "import  from './topics.ts'".length)] as const,
    ]
      .sort(([a], [b]) => compareText(a, b))
      .map(([path, what]) => `import ${what} from ${this.#from('index.ts', path)}\n`)
    const exports = files.map(({ path }) => `export * from ${this.#from('index.ts', path)}\n`)
    const text = `${generatedHeader('all of the contracts')}${imports.join('')}
${exports.join('')}
/** The newest version of every event. */
export const allEvents = ${list('[', definitions, ']', 'export const allEvents =  as const'.length)} as const

export const allTopics = ${list('[', topicNames, ']', 'export const allTopics =  as const'.length)} as const
`
    return { path: 'index.ts', text }
  }

  /** What readers are given, and what publishers give where that is something else. */
  #declarations(type: AvroNamed): string[] {
    const names = this.#names
    const forReaders = typeDeclaration(type, names)
    if (type.kind !== 'record' || names.input(type) === undefined) return [forReaders]
    const inputs = { type: (other: AvroNamed) => names.input(other) ?? names.type(other) }
    return [forReaders, inputDeclaration(type, inputs, names.type(type))]
  }

  #inputsOf(types: readonly AvroNamed[]): string[] {
    return types.flatMap((type) => this.#names.input(type) ?? [])
  }

  #typesAt(path: string): readonly AvroNamed[] {
    return this.#types.filter((type) => this.#names.place(type) === path).sort((a, b) => compareText(a.name, b.name))
  }

  #imports(path: string, own: readonly AvroNamed[], more: readonly (readonly [string, string])[]): string[] {
    const used = new Map<string, string[]>()
    for (const type of namedByFieldsOf(own)) {
      const place = this.#names.place(type)
      if (place !== path)
        used.set(place, [...(used.get(place) ?? []), this.#names.type(type), ...this.#inputsOf([type])])
    }
    const lines = [...used].map(([place, names]) => {
      const taken = 'import type  from '.length + this.#from(path, place).length
      return [place, `import type ${list('{', names.sort(compareText), '}', taken)} from`] as const
    })
    return [...lines, ...more]
      .map(([place, start]) => ({ from: this.#from(path, place), start }))
      .sort((a, b) => compareText(a.from, b.from))
      .map(({ from, start }) => `${start} ${from}\n`)
  }

  #from(path: string, target: string): string {
    const folder = path.includes('/') ? `${path.slice(0, path.lastIndexOf('/'))}/` : ''
    const relative =
      folder !== '' && target.startsWith(folder)
        ? `./${target.slice(folder.length)}`
        : `${folder === '' ? './' : '../'}${target}`
    return textLiteral(relative.replace(/\.ts$/, this.#extension))
  }
}

/** Named types that the fields of the given ones name, without looking into those. */
function namedByFieldsOf(types: readonly AvroNamed[]): AvroNamed[] {
  const fields = types.flatMap((type) => (type.kind === 'record' ? type.fields : []))
  return [...new Set(fields.flatMap((field) => namedBy(field.type)))]
}

function namedBy(schema: AvroSchema): AvroNamed[] {
  if (schema.kind === 'array') return namedBy(schema.items)
  if (schema.kind === 'map') return namedBy(schema.values)
  if (schema.kind === 'union') return schema.branches.flatMap(namedBy)
  return isNamed(schema) ? [schema] : []
}

/** A list in brackets or braces: on one line where it fits, else one name to a line. */
function list(open: string, names: readonly string[], close: string, taken: number): string {
  const inside = open === '{' && names.length > 0 ? ` ${names.join(', ')} ` : names.join(', ')
  const line = `${open}${inside}${close}`
  if (taken + line.length <= lineWidth) return line
  return `${open}\n${names.map((name) => `  ${name},\n`).join('')}${close}`
}

/** `31_536_000_000`, as people read it. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '_')
}

function keptFor(retentionMs: number): string {
  return retentionMs < 0 ? 'for ever' : `for ${retentionText(retentionMs)}`
}

/** By code units: the same on every computer. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
