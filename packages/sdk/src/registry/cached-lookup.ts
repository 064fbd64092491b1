import { printAvroSchema } from '../avro/print-avro-schema.ts'
import type { Clock } from '../core/clock.ts'
import { InvalidSchemaError, SchemaNotRegisteredError, UnknownSchemaError } from '../core/errors.ts'
import { type AnsweredSchema, AnswerReader, type SchemaReference } from './registry-answers.ts'
import { errorCodeOf, refusal, registryCodes, wordsOf } from './registry-errors.ts'
import type { RegistryExchange, RegistryRequest } from './registry-exchange.ts'
import { jsonOf, parseWithReferences } from './resolve-references.ts'
import type { RegisteredSchema, SchemaLookup } from './schema-lookup.ts'
import { rememberedSchemaText } from './schema-text.ts'
import { SharedLookups } from './shared-lookups.ts'

export interface CachedLookupOptions {
  readonly exchange: RegistryExchange
  readonly clock: Clock
  readonly unknownForMs: number
  readonly maxCached: number
  /** Registers what `idOf` does not find; by default that is an error. */
  readonly registerUnknown: ((subject: string, document: unknown) => Promise<number>) | undefined
}

/** Looks schemas up and remembers them: ids and GUIDs never change their meaning. */
export class CachedLookup implements SchemaLookup {
  readonly #options: CachedLookupOptions
  readonly #exchange: RegistryExchange
  readonly #read: AnswerReader
  readonly #byId: SharedLookups<number, RegisteredSchema>
  readonly #byGuid: SharedLookups<string, RegisteredSchema>
  readonly #ids: SharedLookups<string, number>
  readonly #referenced: SharedLookups<string, AnsweredSchema>

  constructor(options: CachedLookupOptions) {
    this.#options = options
    this.#exchange = options.exchange
    this.#read = new AnswerReader(options.exchange.place)
    const shared = {
      clock: options.clock,
      limit: options.maxCached,
      absentForMs: options.unknownForMs,
      isAbsent: (error: unknown) => error instanceof UnknownSchemaError,
    }
    this.#byId = new SharedLookups(shared)
    this.#byGuid = new SharedLookups(shared)
    // What is not registered may be a moment later: the next try after `evt schema push` must find it.
    this.#ids = new SharedLookups({ ...shared, absentForMs: 0 })
    this.#referenced = new SharedLookups(shared)
  }

  byId(id: number): Promise<RegisteredSchema> {
    return this.#byId.get(id, async () => {
      const found = await this.#schema(['schemas', 'ids', String(id)], `the schema with id ${id}`)
      return { id, document: await this.#document(found, `schema ${id}`) }
    })
  }

  byGuid(guid: string): Promise<RegisteredSchema> {
    const key = guid.toLowerCase()
    return this.#byGuid.get(key, async () => {
      const path = ['schemas', 'guids', key]
      const found = await this.#schema(path, `the schema with GUID ${key} (not every registry knows GUIDs)`)
      return { id: await this.#idOfGuid(path, key), document: await this.#document(found, `schema ${key}`) }
    })
  }

  idOf(subject: string, document: unknown): Promise<number> {
    const schema = rememberedSchemaText(document)
    return this.#ids.get(`${subject}\n${schema}`, async () => {
      const request: RegistryRequest = { method: 'POST', path: ['subjects', subject], body: { schema } }
      const answer = await this.#exchange.exchange(request)
      if (answer.status < 300) return this.#read.number(this.#read.object(answer.body), 'id')
      if (!isNotRegistered(errorCodeOf(answer)))
        throw refusal(`could not look up the schema of subject "${subject}"`, this.#exchange.name, answer)
      if (this.#options.registerUnknown !== undefined) return this.#options.registerUnknown(subject, document)
      throw notRegistered(subject, this.#exchange.name, wordsOf(answer))
    })
  }

  /** A schema's document that stands by itself: what it refers to is fetched and written out where it is first used. */
  async document(found: AnsweredSchema, title: string): Promise<unknown> {
    if (found.schemaType !== 'AVRO') return found.schema
    if (found.references.length === 0) return jsonOf(found.schema, title)
    return printAvroSchema(await parseWithReferences(found, (reference) => this.#reference(reference), title))
  }

  clear(): void {
    for (const cache of [this.#byId, this.#byGuid, this.#ids, this.#referenced]) cache.clear()
  }

  async #document(found: AnsweredSchema, title: string): Promise<unknown> {
    if (found.schemaType !== 'AVRO')
      throw new UnknownSchemaError(
        `${title} of ${this.#exchange.name} is of the type ${found.schemaType}; only AVRO can be read`,
      )
    try {
      return await this.document(found, title)
    } catch (cause) {
      if (!(cause instanceof InvalidSchemaError)) throw cause
      throw new UnknownSchemaError(`${title} of ${this.#exchange.name} cannot be read: ${cause.message}`, { cause })
    }
  }

  async #schema(path: readonly string[], what: string): Promise<AnsweredSchema> {
    const answer = await this.#exchange.exchange({ method: 'GET', path })
    if (answer.status < 300) return this.#read.schema(this.#read.object(answer.body))
    // By the registry's own number alone: the 404 of a proxy on the way must not set records aside.
    if (answer.status === 404 && errorCodeOf(answer) === registryCodes.schemaNotFound)
      throw new UnknownSchemaError(
        `${this.#exchange.name} does not have ${what}. ` +
          'The record was written with another registry, or is no Avro record.',
      )
    throw refusal(`could not read ${what}`, this.#exchange.name, answer)
  }

  async #idOfGuid(path: readonly string[], guid: string): Promise<number> {
    const answer = await this.#exchange.exchange({ method: 'GET', path: [...path, 'ids'] })
    if (answer.status >= 300) throw refusal(`could not read the id of schema ${guid}`, this.#exchange.name, answer)
    const [first] = Array.isArray(answer.body) ? answer.body : []
    return this.#read.number(this.#read.object(first), 'id')
  }

  #reference({ subject, version }: SchemaReference): Promise<AnsweredSchema> {
    const what = `version ${version} of subject "${subject}", to which it refers`
    return this.#referenced.get(`${version} ${subject}`, async () => {
      const answer = await this.#exchange.exchange({
        method: 'GET',
        path: ['subjects', subject, 'versions', String(version)],
        // What is deleted softly is still what old records were written with.
        query: { deleted: true },
      })
      if (answer.status < 300) return this.#read.schema(this.#read.object(answer.body))
      const code = errorCodeOf(answer)
      if (code === registryCodes.subjectNotFound || code === registryCodes.versionNotFound)
        throw new UnknownSchemaError(`${this.#exchange.name} does not have ${what}`)
      throw refusal(`could not read ${what}`, this.#exchange.name, answer)
    })
  }
}

/** Whether a number says that there is no such subject, version or schema. */
export function isNotRegistered(code: number | undefined): boolean {
  return (
    code === registryCodes.subjectNotFound ||
    code === registryCodes.versionNotFound ||
    code === registryCodes.schemaNotFound
  )
}

export function notRegistered(subject: string, registry: string, words: string): SchemaNotRegisteredError {
  return new SchemaNotRegisteredError(
    `subject "${subject}" of ${registry} does not have the schema that is to be written with (${words}). ` +
      'Register it with `evt schema push`, usually from CI before the service is deployed; services never register schemas themselves.',
  )
}
