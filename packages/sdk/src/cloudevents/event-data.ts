import { isUtf8 } from 'node:buffer'
import { UndecodableRecordError } from '../core/errors.ts'

const json = /^(?:[^/]+\/json|.+\+json)$/

/**
 * An event's data from its bytes, by the media type it is declared to have: JSON parsed, `text/*` as text, all else as it
 * is, as bytes. Without a media type it is taken for JSON.
 *
 * @throws UndecodableRecordError when the bytes are not what they are declared to be.
 */
export function readData(bytes: Buffer, contentType: string | undefined): unknown {
  const { mediaType, charset } = parseMediaType(contentType ?? 'application/json')
  const isJson = json.test(mediaType)
  if (!isJson && !mediaType.startsWith('text/')) return bytes
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/.test(charset))
    throw new UndecodableRecordError(`expected a CloudEvent with data in UTF-8, got ${mediaType} in ${charset}`)
  // Decoding would put U+FFFD in the place of what is wrong, and nobody would see it.
  if (!isUtf8(bytes))
    throw new UndecodableRecordError(
      `expected a CloudEvent with data as ${mediaType}, got ${bytes.length} byte(s) that are not UTF-8`,
    )
  const text = bytes.toString('utf8')
  return isJson ? parseJson(text, `data as ${mediaType}`) : text
}

/** @throws UndecodableRecordError with `what` was expected; never with the text, which may be personal. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text.
    throw new UndecodableRecordError(
      `expected a CloudEvent with ${what}, got ${Buffer.byteLength(text)} byte(s) that are not JSON`,
    )
  }
}

/** In lower case, since media types are compared without regard to case. */
export function parseMediaType(contentType: string): { mediaType: string; charset: string | undefined } {
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';')
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
  return { mediaType: mediaType.trim(), charset: charset.find((name) => name !== undefined) }
}
