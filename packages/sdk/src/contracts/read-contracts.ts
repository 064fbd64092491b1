import type { AvroNamed, AvroRecord, AvroSchema } from '../avro/avro-schema.ts'
import { consumersFileName, readConsumersFile } from './consumers-file.ts'
import type { ContractFiles } from './contract-files.ts'
import { ContractProblems } from './contract-problems.ts'
import type { ContractRemark, Contracts, EventContract, TopicContract } from './contracts.ts'
import { checkHouseRules } from './house-rules.ts'
import { SchemaFiles } from './schema-files.ts'
import { noTopicsFile, readTopicsFile, type TopicsFile, topicsFileName } from './topics-file.ts'
import { describe } from './yaml-file.ts'

/**
 * Reads a folder of contracts: `topics.yaml`, `consumers.yaml` when there is one, and every `.avsc` file. Types refer to
 * each other by full name, over files and in any order.
 *
 * @throws InvalidContractError that names every problem there is, each with its file and place.
 */
export async function readContracts(files: ContractFiles): Promise<Contracts> {
  const problems = new ContractProblems()
  const paths = [...(await files.list())].sort()
  if (!paths.includes(topicsFileName))
    problems.add(topicsFileName, 'there is no such file; it lists the topics, what they keep and the events they carry')
  const texts = new Map<string, string>()
  for (const path of paths) if (isContractFile(path)) texts.set(path, await files.read(path))

  const topicsText = texts.get(topicsFileName)
  const topicsFile = topicsText === undefined ? noTopicsFile : readTopicsFile(topicsText, problems)
  const schemaTexts = [...texts].filter(([path]) => path.endsWith('.avsc'))
  const schemas = new SchemaFiles(new Map(schemaTexts), problems)
  const events = new EventReader(topicsFile, schemas, problems)
  for (const [path] of schemaTexts) events.read(path)
  const known = events.types()
  for (const topic of topicsFile.topics)
    for (const type of topic.events)
      if (!known.has(type))
        topicsFile.problem(topic.name, 'events', `${type} is listed, but there is no file <domain>/${type}.v1.avsc`)

  const consumersText = texts.get(consumersFileName)
  const consumers = consumersText === undefined ? [] : readConsumersFile(consumersText, known, problems)
  problems.throwIfAny()
  return { topics: topicsFile.topics, events: events.found(), consumers, remarks: events.remarks }
}

function isContractFile(path: string): boolean {
  return path === topicsFileName || path === consumersFileName || path.endsWith('.avsc')
}

const eventFileRule = /^([a-z][a-z0-9-]*)\/([A-Z][A-Za-z0-9]*)\.(v[1-9][0-9]{0,5})\.avsc$/
const sharedFileRule = /^([a-z][a-z0-9-]*)\/([A-Za-z_][A-Za-z0-9_]*)\.avsc$/

class EventReader {
  readonly #topics: TopicsFile
  readonly #schemas: SchemaFiles
  readonly #problems: ContractProblems
  readonly #events: EventContract[] = []
  readonly remarks: ContractRemark[] = []
  /** First file of each type of event, read or not. */
  readonly #firstFile = new Map<string, string>()

  constructor(topics: TopicsFile, schemas: SchemaFiles, problems: ContractProblems) {
    this.#topics = topics
    this.#schemas = schemas
    this.#problems = problems
  }

  /** Types of which there is a file. */
  types(): ReadonlySet<string> {
    return new Set(this.#firstFile.keys())
  }

  found(): EventContract[] {
    return this.#events.sort(
      (a, b) => compareText(a.type, b.type) || Number(a.version.slice(1)) - Number(b.version.slice(1)),
    )
  }

  read(file: string): void {
    const [, domain, type, version] = eventFileRule.exec(file) ?? []
    const [, folder, name] = sharedFileRule.exec(file) ?? []
    if (domain !== undefined && type !== undefined && version !== undefined)
      this.#readEvent({ file, domain, type, version })
    else if (folder !== undefined && name !== undefined) this.#readShared(file, folder, name)
    else
      this.#problems.add(
        file,
        'its name is neither <domain>/<EventName>.v<n>.avsc, an event, nor <folder>/<Name>.avsc, a type that events share',
      )
  }

  #readShared(file: string, folder: string, name: string): void {
    const schema = this.#schemas.typeOf(file)
    if (schema === undefined) return
    this.#checkName(file, schema, `${folder.replaceAll('-', '_')}.${name}`)
    checkHouseRules(file, schema, this.#schemas, this.#problems, (one) => this.remarks.push(one))
  }

  #readEvent({ file, domain, type, version }: Pick<EventContract, 'file' | 'domain' | 'type' | 'version'>): void {
    const first = this.#firstFile.get(type)
    if (first === undefined) this.#firstFile.set(type, file)
    else if (!first.startsWith(`${domain}/`))
      this.#problems.add(file, `${type} is an event of ${first} too; all versions of an event are in one folder`)
    const topic = this.#topics.topics.find(({ events }) => events.includes(type))
    if (topic === undefined && this.#topics.isReadable)
      this.#problems.add(file, `no topic of ${topicsFileName} lists ${type}; add it to the events of its topic`)
    const data = this.#schemas.typeOf(file)
    if (data === undefined) return
    this.#checkName(file, data, `${domain.replaceAll('-', '_')}.${version}.${type}`)
    checkHouseRules(file, data, this.#schemas, this.#problems, (one) => this.remarks.push(one))
    if (data.kind !== 'record') {
      this.#problems.add(file, `the data of an event is a record, got ${data.kind}`)
      return
    }
    if (topic === undefined) return
    const key = this.#keyOf(file, data, topic)
    if (key !== undefined) this.#events.push({ type, version, domain, topic, key, data, file })
  }

  #checkName(file: string, { name }: AvroNamed, expected: string): void {
    const { namespace } = this.#topics
    if (namespace === undefined) return
    const full = `${namespace}.${expected}`
    if (name !== full) this.#problems.add(file, `by its place it must be named ${full}, it is named ${name}`)
  }

  #keyOf(file: string, data: AvroRecord, topic: TopicContract): string | undefined {
    const own = data.attributes.key
    if (own !== undefined && (typeof own !== 'string' || own === '')) {
      this.#problems.add(file, `"key" must be the path of a field, got ${describe(own)}`)
      return undefined
    }
    const key = own ?? topic.key
    const from = own === undefined ? `the key of topic ${topic.name}` : 'its "key"'
    const field = fieldAt(data, key)
    if (field === undefined)
      this.#problems.add(file, `${from} is "${key}", and there is no such field; name another with "key" on the record`)
    else if (field.kind !== 'string')
      this.#problems.add(file, `${from} is "${key}", which must be a string that is never null, it is ${field.kind}`)
    else return key
    return undefined
  }
}

function fieldAt(data: AvroSchema, path: string): AvroSchema | undefined {
  let at: AvroSchema | undefined = data
  for (const name of path.split('.'))
    at = at?.kind === 'record' ? at.fields.find((field) => field.name === name)?.type : undefined
  return at
}

/** By code units: the same on every computer. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
