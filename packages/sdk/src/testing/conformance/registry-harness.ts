/** What the suite for schema registries is given, and how its cases talk to one. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** Something in which a registry departs from Confluent's documentation. */
export type RegistryDeviation =
  /** `verbose=true` gives no messages, or none that explain. */
  | 'no-verbose-messages'
  /** A level that is asked for where none was set is "not found" (40401) instead of 40408. */
  | 'missing-level-is-40401'
  /** A subject whose level was removed is at NONE instead of the level for all. */
  | 'removed-level-is-none'
  /** `subjectPrefix` is ignored: all subjects are listed. */
  | 'prefix-ignored'
  /** Checking against all versions looks at every one, whatever the level. */
  | 'check-of-all-is-transitive'
  /** READONLY is taken and not enforced. */
  | 'readonly-not-enforced'
  /** A version that cannot be one, such as 0, is "not found" (40402) instead of 42202. */
  | 'invalid-version-is-40402'
  /** Deleting for good what was not deleted before answers with status 409 instead of 404. */
  | 'hard-before-soft-is-409'
  /** Deleting a deleted version again answers with status 409 instead of 404. */
  | 'deleted-twice-is-409'
  /** What was removed for good can still be read by its id. */
  | 'removed-stays-by-id'
  /** A mode that does not exist is 42201 instead of 42204. */
  | 'invalid-mode-is-42201'
  /** GUIDs of schemas are not known. */
  | 'no-guids'
  /** An id of the registrar's own is taken although the registry does not import. */
  | 'ids-taken-without-import'

/** Gives the suite the registry to test. */
export interface RegistryHarness {
  /** The address of the API, without credentials. */
  url(): string
  /** Declared departures and why they are taken as they are; everything else must be as documented. */
  readonly deviations: Partial<Readonly<Record<RegistryDeviation, string>>>
}

/** One thing that every schema registry must do. */
export interface RegistryCase {
  /** The behaviour, as a sentence. */
  readonly name: string
  /** Where a registry may declare that it departs; the case then demands what it does instead. */
  readonly departs?: readonly RegistryDeviation[]
  /** Rejects when the behaviour is not there. */
  run(registry: RegistryUnderTest): Promise<void>
}

export interface TestedAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: unknown
}

const mediaType = 'application/vnd.schemaregistry.v1+json'

/** A registry as a case sees it. */
export class RegistryUnderTest {
  readonly harness: RegistryHarness
  /** No other case has this name in its subjects. */
  readonly prefix: string

  constructor(harness: RegistryHarness, prefix: string) {
    this.harness = harness
    this.prefix = prefix
  }

  /** A subject of this case's own. */
  subject(name = 'subject'): string {
    return `${this.prefix}-${name}`
  }

  /** The namespace of this case's types. */
  get namespace(): string {
    return this.prefix.replaceAll('-', '_')
  }

  /** A record type of this case's own, so that its schemas are no other case's. */
  record(fields: readonly object[], name = 'Fact'): string {
    return JSON.stringify({ type: 'record', name, namespace: this.namespace, fields })
  }

  has(deviation: RegistryDeviation): boolean {
    return this.harness.deviations[deviation] !== undefined
  }

  async ask(method: string, path: string, body?: unknown): Promise<TestedAnswer> {
    const url = new URL(`${this.harness.url()}${path}`)
    // A connection of its own for each request, so that none is left when the suite ends.
    const sent = request(url, { method, agent: false, headers: { 'content-type': mediaType } })
    sent.end(body === undefined ? undefined : JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const answered = await text(response)
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      body: answered === '' ? undefined : JSON.parse(answered),
    }
  }

  /** The body of an answer that must be a success. */
  async get(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.ask(method, path, body)
    if (answer.status !== 200)
      throw new Error(`expected ${method} ${path} to succeed, got ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Demands a refusal with this status and number, and words with it. */
  async refused(status: number, code: number, method: string, path: string, body?: unknown): Promise<void> {
    const answer = await this.ask(method, path, body)
    const { error_code, message } = fieldsOf(answer.body)
    if (answer.status !== status || error_code !== code || typeof message !== 'string' || message === '')
      throw new Error(
        `expected ${method} ${path} to be refused with ${status} and ${code}, got ${answer.status} ${JSON.stringify(answer.body)}`,
      )
  }

  /** Registers and resolves with the id. */
  async register(subject: string, schema: string, more: object = {}): Promise<number> {
    const { id } = fieldsOf(await this.get('POST', `/subjects/${subject}/versions`, { schema, ...more }))
    if (typeof id !== 'number') throw new Error(`expected a registration to answer with an id, got ${String(id)}`)
    return id
  }
}

/** The fields of an answer that should be an object. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  // Whatever is missing is undefined, which no case expects.
  return (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>
}

/** The full name of a record type, however its name and namespace are written. */
export function recordName(schema: unknown): string {
  const { name, namespace } = fieldsOf(typeof schema === 'string' ? JSON.parse(schema) : schema)
  return String(name).includes('.') || namespace === undefined ? String(name) : `${namespace}.${name}`
}
