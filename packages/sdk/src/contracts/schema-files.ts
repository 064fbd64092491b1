import { LineCounter, parseDocument } from 'yaml'
import { type AvroNamed, type AvroSchema, isNamed } from '../avro/avro-schema.ts'
import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { InvalidSchemaError } from '../core/errors.ts'
import type { ContractProblems } from './contract-problems.ts'
import { isObject } from './yaml-file.ts'

/** Thrown through the parser of a file whose reference leads to one that cannot be read: that one has told its problem. */
class BrokenReference extends Error {}

/**
 * Reads `.avsc` files that refer to each other by full name, in whatever order. Each type exists once, whoever refers to it.
 * What is wrong goes to the problems.
 */
export class SchemaFiles {
  readonly #documents = new Map<string, unknown>()
  /** Which file defines a type. */
  readonly #definedIn = new Map<string, string>()
  readonly #read = new Map<string, AvroNamed | undefined>()
  /** Files under way, the outermost first. */
  readonly #underWay: string[] = []
  readonly #types = new Map<string, AvroNamed>()
  readonly #problems: ContractProblems

  /** @param texts what the files hold, by path. */
  constructor(texts: ReadonlyMap<string, string>, problems: ContractProblems) {
    this.#problems = problems
    for (const [file, text] of texts) {
      const document = readJson(file, text, problems)
      if (document === undefined) continue
      this.#documents.set(file, document)
      for (const name of namesDefinedIn(document)) {
        const other = this.#definedIn.get(name)
        if (other === undefined) this.#definedIn.set(name, file)
        else if (other !== file)
          problems.add(file, `${name} is defined in ${other} too; define it once and refer to it by its full name`)
      }
    }
  }

  /** The type that a file defines at its top, with every reference resolved; `undefined` when it cannot be read. */
  typeOf(file: string): AvroNamed | undefined {
    if (!this.#read.has(file)) this.#read.set(file, this.#parse(file))
    return this.#read.get(file)
  }

  /** The file that defines a type, by its full name. */
  fileOf(name: string): string | undefined {
    return this.#definedIn.get(name)
  }

  #parse(file: string): AvroNamed | undefined {
    const document = this.#documents.get(file)
    if (document === undefined) return undefined
    this.#underWay.push(file)
    try {
      const schema = parseAvroSchema(document, { title: file, resolve: (name) => this.#resolve(file, name) })
      if (!isNamed(schema)) {
        this.#problems.add(file, `expected a record, an enum or a fixed with a name, got ${schema.kind}`)
        return undefined
      }
      for (const type of typesIn(schema)) if (this.#definedIn.get(type.name) === file) this.#types.set(type.name, type)
      return schema
    } catch (error) {
      if (error instanceof InvalidSchemaError) {
        const [, where = file, message = error.message] = /^(.+?(?: at .+?)?): (.*)$/s.exec(error.message) ?? []
        this.#problems.add(where, message)
      } else if (!(error instanceof BrokenReference)) throw error
      return undefined
    } finally {
      this.#underWay.pop()
    }
  }

  #resolve(from: string, name: string): AvroNamed | undefined {
    const known = this.#types.get(name)
    if (known !== undefined) return known
    const file = this.#definedIn.get(name)
    // Defined further down in the same document: Avro's names must come before their use, and the parser says so.
    if (file === undefined || file === from) return undefined
    const start = this.#underWay.indexOf(file)
    if (start !== -1) {
      const circle = [...this.#underWay.slice(start), file].join(' → ')
      this.#problems.add(
        from,
        `refers to ${name}, but these files refer to each other in a circle: ${circle}; put the types of the circle into one file`,
      )
      throw new BrokenReference(name)
    }
    if (this.typeOf(file) === undefined) throw new BrokenReference(name)
    return this.#types.get(name)
  }
}

/** Every named type in a schema, each once. */
export function typesIn(schema: AvroSchema): AvroNamed[] {
  const found = new Set<AvroNamed>()
  collect(schema, found)
  return [...found]
}

function collect(schema: AvroSchema, found: Set<AvroNamed>): void {
  if (schema.kind === 'array') collect(schema.items, found)
  else if (schema.kind === 'map') collect(schema.values, found)
  else if (schema.kind === 'union') for (const branch of schema.branches) collect(branch, found)
  else if (isNamed(schema) && !found.has(schema)) {
    found.add(schema)
    if (schema.kind === 'record') for (const field of schema.fields) collect(field.type, found)
  }
}

function readJson(file: string, text: string, problems: ContractProblems): unknown {
  try {
    const document: unknown = JSON.parse(text)
    tellRepeatedNames(file, text, problems)
    return document
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const position = /at position (\d+)/.exec(message)?.[1]
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length
    problems.add(line === undefined ? file : `${file} line ${line}`, `not JSON: ${message}`)
    return undefined
  }
}

/** JSON takes the last of two members of one name and drops the other without a word. YAML, which can read JSON, does not. */
function tellRepeatedNames(file: string, text: string, problems: ContractProblems): void {
  const lines = new LineCounter()
  // Tabs indent JSON, and never YAML; they take one column either way, so lines stay where they are.
  const { errors } = parseDocument(text.replaceAll('\t', ' '), { lineCounter: lines, prettyErrors: false })
  for (const { code, pos } of errors)
    if (code === 'DUPLICATE_KEY')
      problems.add(
        `${file} line ${lines.linePos(pos[0]).line}`,
        'the same name stands twice in one object; take one away',
      )
}

/** Full names of the types that a document defines, as far as it can be followed; what is wrong with it is not said here. */
function namesDefinedIn(document: unknown, namespace = ''): string[] {
  if (Array.isArray(document)) return document.flatMap((branch) => namesDefinedIn(branch, namespace))
  if (!isObject(document)) return []
  const { type, name } = document
  if (isObject(type) || Array.isArray(type)) return namesDefinedIn(type, namespace)
  if (type === 'array') return namesDefinedIn(document.items, namespace)
  if (type === 'map') return namesDefinedIn(document.values, namespace)
  if (typeof name !== 'string' || !(type === 'record' || type === 'error' || type === 'enum' || type === 'fixed'))
    return []
  const own = typeof document.namespace === 'string' ? document.namespace : namespace
  const fullName = name.includes('.') || own === '' ? name : `${own}.${name}`
  const inside = fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))
  const fields = Array.isArray(document.fields) ? document.fields : []
  return [fullName, ...fields.flatMap((field) => (isObject(field) ? namesDefinedIn(field.type, inside) : []))]
}
