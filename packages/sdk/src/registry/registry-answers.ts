/** Answers of a registry, read with care: another program may have given them. */
import { RegistryRefusedError } from '../core/errors.ts'

/** Another subject's schema whose types a schema uses by name. */
export interface SchemaReference {
  /** Full name of the type. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** What a registry lets be done. */
export const registryModes = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT'] as const
export type RegistryMode = (typeof registryModes)[number]

/** A schema as it stands in an answer: as text, with what it refers to elsewhere. */
export interface AnsweredSchema {
  readonly schema: string
  readonly schemaType: string
  readonly references: readonly SchemaReference[]
}

type Json = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads one answer; each method throws a RegistryRefusedError that says what was expected when it finds something else. */
export class AnswerReader {
  readonly #place: string

  constructor(place: string) {
    this.#place = place
  }

  object(value: unknown): Json {
    return isJsonObject(value) ? value : this.#fail('an object', value)
  }

  texts(value: unknown): readonly string[] {
    return Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? value
      : this.#fail('a list of texts', value)
  }

  numbers(value: unknown): readonly number[] {
    return Array.isArray(value) && value.every((item) => typeof item === 'number')
      ? value
      : this.#fail('a list of numbers', value)
  }

  number(object: Json, name: string): number {
    const value = object[name]
    return typeof value === 'number' && Number.isInteger(value) ? value : this.#fail(`"${name}" as a number`, value)
  }

  text(object: Json, name: string): string {
    const value = object[name]
    return typeof value === 'string' ? value : this.#fail(`"${name}" as text`, value)
  }

  boolean(object: Json, name: string): boolean {
    const value = object[name]
    return typeof value === 'boolean' ? value : this.#fail(`"${name}" as true or false`, value)
  }

  oneOf<T extends string>(object: Json, name: string, known: readonly T[]): T {
    const value = object[name]
    return known.find((item) => item === value) ?? this.#fail(`"${name}" as one of ${known.join(', ')}`, value)
  }

  schema(object: Json): AnsweredSchema {
    const references = object.references ?? []
    if (!Array.isArray(references)) this.#fail('"references" as a list', references)
    return {
      schema: this.text(object, 'schema'),
      // Left out for Avro, which the first registries knew alone.
      schemaType: typeof object.schemaType === 'string' ? object.schemaType : 'AVRO',
      references: references.map((item) => {
        const reference = this.object(item)
        return {
          name: this.text(reference, 'name'),
          subject: this.text(reference, 'subject'),
          version: this.number(reference, 'version'),
        }
      }),
    }
  }

  #fail(expected: string, value: unknown): never {
    const came = value === undefined ? 'nothing' : Array.isArray(value) ? 'a list' : typeof value
    throw new RegistryRefusedError(
      `what answers at ${this.#place} is no schema registry, or one that speaks another language: expected ${expected}, got ${came}. ` +
        'Check the address: most registries answer at its root, Apicurio at /apis/ccompat/v7.',
      200,
    )
  }
}
