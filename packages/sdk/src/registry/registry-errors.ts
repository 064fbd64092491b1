/** What a registry's refusals mean, decided once and from numbers alone. */
import { RegistryRefusedError } from '../core/errors.ts'
import type { RegistryAnswer } from './registry-exchange.ts'

/** The registry's own numbers that a caller tells apart. */
export const registryCodes = {
  subjectNotFound: 40401,
  versionNotFound: 40402,
  schemaNotFound: 40403,
  noCompatibilityLevel: 40408,
  noMode: 40409,
} as const

/** The number that a refusal carries; `undefined` when it has none, as an answer of a proxy or of another program. */
export function errorCodeOf({ body }: RegistryAnswer): number | undefined {
  return typeof body === 'object' && body !== null && 'error_code' in body && typeof body.error_code === 'number'
    ? body.error_code
    : undefined
}

/** The registry's words of a refusal, fit for a message of ours. */
export function wordsOf({ body }: RegistryAnswer): string {
  const words = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  return typeof words === 'string' && words !== '' ? asOneLine(words) : 'it did not say why'
}

const longestWords = 2000

/** Text from outside: without line breaks and control characters, and not without end. */
export function asOneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > longestWords ? `${line.slice(0, longestWords)} …` : line
}

const hints: Readonly<Record<number, string>> = {
  401: ' Check the user and password, or the token, with which the client is created.',
  403: ' These credentials are not allowed to do this; ask whoever runs the registry.',
  404: ' Check the address: most registries answer at its root, Apicurio at /apis/ccompat/v7.',
}

/**
 * The error for an answer that is a refusal.
 *
 * @param what was to be done, as in "could not read schema 7".
 * @param registry how it is called: `the schema registry at …`.
 */
export function refusal(what: string, registry: string, answer: RegistryAnswer): RegistryRefusedError {
  const code = errorCodeOf(answer)
  const hint = code === undefined || code < 1000 ? (hints[answer.status] ?? '') : ''
  return new RegistryRefusedError(
    `${what}: ${registry} refused (${code ?? answer.status}): ${wordsOf(answer)}.${hint}`.replace(/\.\.(?= |$)/, '.'),
    code ?? answer.status,
  )
}
