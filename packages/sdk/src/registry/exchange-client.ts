import { type CompatibilityMode, compatibilityModes } from '../avro/compatibility-mode.ts'
import { CachedLookup, isNotRegistered, notRegistered } from './cached-lookup.ts'
import { AnswerReader, type RegistryMode, registryModes } from './registry-answers.ts'
import type {
  CompatibilityVerdict,
  LookupOptions,
  RegistryClient,
  SchemaOptions,
  SubjectVersion,
} from './registry-client.ts'
import { errorCodeOf, refusal, wordsOf } from './registry-errors.ts'
import type { RegistryAnswer, RegistryExchange, RegistryRequest } from './registry-exchange.ts'
import type { RegisteredSchema } from './schema-lookup.ts'
import { schemaText } from './schema-text.ts'

/** A client over whatever carries its requests to a registry. */
export class ExchangeClient implements RegistryClient {
  readonly #exchange: RegistryExchange
  readonly #lookup: CachedLookup
  readonly #read: AnswerReader

  constructor(
    exchange: RegistryExchange,
    { clock, logger, unknownForMs, maxCached, registerUnknown }: Required<LookupOptions>,
  ) {
    this.#exchange = exchange
    this.#read = new AnswerReader(exchange.place)
    this.#lookup = new CachedLookup({
      exchange,
      clock,
      unknownForMs,
      maxCached,
      registerUnknown: registerUnknown
        ? async (subject, document) => {
            const id = await this.#registerText(subject, document, {})
            logger.warn(
              { subject, id, registry: exchange.place },
              `registered a schema of subject "${subject}" because registerUnknown is on; leave that off in production`,
            )
            return id
          }
        : undefined,
    })
  }

  get place(): string {
    return this.#exchange.place
  }

  byId(id: number): Promise<RegisteredSchema> {
    return this.#lookup.byId(id)
  }

  byGuid(guid: string): Promise<RegisteredSchema> {
    return this.#lookup.byGuid(guid)
  }

  async idOf(subject: string, document: unknown): Promise<number> {
    return this.#lookup.idOf(subject, document)
  }

  async subjects(prefix = '', { deleted = false }: { readonly deleted?: boolean } = {}): Promise<readonly string[]> {
    const body = await this.#ask('could not list the subjects', {
      method: 'GET',
      path: ['subjects'],
      query: { subjectPrefix: prefix === '' ? undefined : prefix, deleted: deleted || undefined },
    })
    // Not every registry knows the prefix.
    return this.#read.texts(body).filter((subject) => subject.startsWith(prefix))
  }

  async versions(
    subject: string,
    { deleted = false }: { readonly deleted?: boolean } = {},
  ): Promise<readonly number[]> {
    const answer = await this.#exchange.exchange({
      method: 'GET',
      path: ['subjects', subject, 'versions'],
      query: { deleted: deleted || undefined },
    })
    if (isNotRegistered(errorCodeOf(answer))) return []
    return this.#read.numbers(this.#granted(`could not list the versions of subject "${subject}"`, answer))
  }

  async version(subject: string, version: number | 'latest'): Promise<SubjectVersion | undefined> {
    const answer = await this.#exchange.exchange({
      method: 'GET',
      path: ['subjects', subject, 'versions', String(version)],
    })
    if (isNotRegistered(errorCodeOf(answer))) return undefined
    return this.#subjectVersion(this.#granted(`could not read version ${version} of subject "${subject}"`, answer))
  }

  async register(
    subject: string,
    document: unknown,
    options: SchemaOptions = {},
  ): Promise<{ readonly id: number; readonly version: number }> {
    const id = await this.#registerText(subject, document, options)
    const { version } = await this.lookup(subject, document, options)
    return { id, version }
  }

  async lookup(subject: string, document: unknown, options: SchemaOptions = {}): Promise<SubjectVersion> {
    const answer = await this.#exchange.exchange({
      method: 'POST',
      path: ['subjects', subject],
      query: { normalize: options.normalize || undefined },
      body: bodyOf(document, options),
    })
    if (isNotRegistered(errorCodeOf(answer))) throw notRegistered(subject, this.#exchange.name, wordsOf(answer))
    return this.#subjectVersion(this.#granted(`could not look up the schema of subject "${subject}"`, answer))
  }

  async checkCompatibility(
    subject: string,
    document: unknown,
    version: number | 'latest' | 'all' = 'latest',
    options: SchemaOptions = {},
  ): Promise<CompatibilityVerdict> {
    const answer = await this.#exchange.exchange({
      method: 'POST',
      path: ['compatibility', 'subjects', subject, 'versions', ...(version === 'all' ? [] : [String(version)])],
      query: { verbose: true, normalize: options.normalize || undefined },
      body: bodyOf(document, options),
    })
    // Some registries say of a subject that is not there that anything fits, others that it is not there.
    if (typeof version !== 'number' && isNotRegistered(errorCodeOf(answer))) return { compatible: true, messages: [] }
    const verdict = this.#read.object(this.#granted(`could not check the schema of subject "${subject}"`, answer))
    return {
      compatible: this.#read.boolean(verdict, 'is_compatible'),
      messages: this.#read.texts(verdict.messages ?? []),
    }
  }

  async compatibilityMode(subject?: string): Promise<CompatibilityMode> {
    const body = await this.#ask(`could not read the compatibility level${ofSubject(subject)}`, {
      method: 'GET',
      path: ['config', ...(subject === undefined ? [] : [subject])],
      query: { defaultToGlobal: subject !== undefined || undefined },
    })
    return this.#read.oneOf(this.#read.object(body), 'compatibilityLevel', compatibilityModes)
  }

  async setCompatibilityMode(mode: CompatibilityMode, subject?: string): Promise<void> {
    await this.#ask(`could not set the compatibility level${ofSubject(subject)}`, {
      method: 'PUT',
      path: ['config', ...(subject === undefined ? [] : [subject])],
      body: { compatibility: mode },
    })
  }

  async clearCompatibilityMode(subject: string): Promise<void> {
    const answer = await this.#exchange.exchange({ method: 'DELETE', path: ['config', subject] })
    // There was none: what was wanted is so.
    if (answer.status === 404 && errorCodeOf(answer) !== undefined) return
    this.#granted(`could not clear the compatibility level${ofSubject(subject)}`, answer)
  }

  async mode(subject?: string): Promise<RegistryMode> {
    const body = await this.#ask(`could not read the mode${ofSubject(subject)}`, {
      method: 'GET',
      path: ['mode', ...(subject === undefined ? [] : [subject])],
      query: { defaultToGlobal: subject !== undefined || undefined },
    })
    return this.#read.oneOf(this.#read.object(body), 'mode', registryModes)
  }

  async setMode(
    mode: RegistryMode,
    subject?: string,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<void> {
    await this.#ask(`could not set the mode${ofSubject(subject)}`, {
      method: 'PUT',
      path: ['mode', ...(subject === undefined ? [] : [subject])],
      query: { force: force || undefined },
      body: { mode },
    })
  }

  async deleteSubject(
    subject: string,
    { permanent = false }: { readonly permanent?: boolean } = {},
  ): Promise<readonly number[]> {
    const body = await this.#ask(`could not delete subject "${subject}"`, {
      method: 'DELETE',
      path: ['subjects', subject],
      query: { permanent: permanent || undefined },
    })
    this.#lookup.clear()
    return this.#read.numbers(body)
  }

  async deleteVersion(
    subject: string,
    version: number | 'latest',
    { permanent = false }: { readonly permanent?: boolean } = {},
  ): Promise<number> {
    const body = await this.#ask(`could not delete version ${version} of subject "${subject}"`, {
      method: 'DELETE',
      path: ['subjects', subject, 'versions', String(version)],
      query: { permanent: permanent || undefined },
    })
    this.#lookup.clear()
    return this.#read.number({ version: body }, 'version')
  }

  async schemaTypes(): Promise<readonly string[]> {
    return this.#read.texts(
      await this.#ask('could not ask for the types of schemas', { method: 'GET', path: ['schemas', 'types'] }),
    )
  }

  close(): Promise<void> {
    return this.#exchange.close()
  }

  /** What a console shows and JSON holds of a client: where it leads, and never with what credentials. */
  toJSON(): { readonly place: string } {
    return { place: this.place }
  }

  async #registerText(subject: string, document: unknown, options: SchemaOptions): Promise<number> {
    const body = await this.#ask(`could not register the schema of subject "${subject}"`, {
      method: 'POST',
      path: ['subjects', subject, 'versions'],
      query: { normalize: options.normalize || undefined },
      body: bodyOf(document, options),
    })
    return this.#read.number(this.#read.object(body), 'id')
  }

  async #subjectVersion(body: unknown): Promise<SubjectVersion> {
    const object = this.#read.object(body)
    const found = this.#read.schema(object)
    const subject = this.#read.text(object, 'subject')
    const version = this.#read.number(object, 'version')
    return {
      subject,
      version,
      id: this.#read.number(object, 'id'),
      schemaType: found.schemaType,
      document: await this.#lookup.document(found, `version ${version} of subject "${subject}"`),
      references: found.references,
    }
  }

  async #ask(what: string, request: RegistryRequest): Promise<unknown> {
    return this.#granted(what, await this.#exchange.exchange(request))
  }

  #granted(what: string, answer: RegistryAnswer): unknown {
    if (answer.status >= 300) throw refusal(what, this.#exchange.name, answer)
    return answer.body
  }
}

function bodyOf(document: unknown, { references = [] }: SchemaOptions): unknown {
  return { schema: schemaText(document, references), ...(references.length > 0 && { references }) }
}

function ofSubject(subject: string | undefined): string {
  return subject === undefined ? '' : ` of subject "${subject}"`
}
