import type { AvroNamed } from '../avro/avro-schema.ts'
import { consumersFileName, readConsumersFile } from './consumers-file.ts'
import { ContractProblems } from './contract-problems.ts'
import type { ConsumerContract, EventContract } from './contracts.ts'
import { SchemaFiles, typesIn } from './schema-files.ts'
import { readTopicsFile, topicsFileName } from './topics-file.ts'

/** Contracts as they once were. Rules may have been others then, so whatever cannot be read is left out without a word. */
export class EarlierState {
  readonly #texts: ReadonlyMap<string, string>
  readonly #schemas: SchemaFiles

  /** @param texts what the files held, by path in the folder. */
  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
    this.#schemas = new SchemaFiles(
      new Map([...texts].filter(([path]) => path.endsWith('.avsc'))),
      new ContractProblems(),
    )
  }

  /** Files of events. */
  eventFiles(): readonly EventFile[] {
    return [...this.#texts.keys()].flatMap((file) => {
      const [, domain, type, version] = /^([^/]+)\/([A-Za-z0-9_]+)\.(v[1-9][0-9]*)\.avsc$/.exec(file) ?? []
      return domain === undefined || type === undefined || version === undefined
        ? []
        : [{ file, domain, type, version }]
    })
  }

  /** What a file defines, and the file of each type in it. */
  read(file: string): { readonly schema: AvroNamed; readonly definedIn: ReadonlyMap<string, string> } | undefined {
    const schema = this.#schemas.typeOf(file)
    if (schema === undefined) return undefined
    return { schema, definedIn: new Map(typesIn(schema).map(({ name }) => [name, this.#schemas.fileOf(name) ?? file])) }
  }

  events(): readonly EventContract[] {
    const { topics } = readTopicsFile(this.#texts.get(topicsFileName) ?? '{}', new ContractProblems())
    return this.eventFiles().flatMap(({ file, domain, type, version }) => {
      const topic = topics.find(({ events }) => events.includes(type))
      const data = this.read(file)?.schema
      if (topic === undefined || data?.kind !== 'record') return []
      const own = data.attributes.key
      return [{ type, version, domain, topic, key: typeof own === 'string' ? own : topic.key, data, file }]
    })
  }

  consumers(): readonly ConsumerContract[] {
    const text = this.#texts.get(consumersFileName)
    if (text === undefined) return []
    const known = new Set(this.eventFiles().map(({ type }) => type))
    return readConsumersFile(text, known, new ContractProblems())
  }
}

export type EventFile = Pick<EventContract, 'file' | 'domain' | 'type' | 'version'>
