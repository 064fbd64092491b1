/**
 * Short ASCII text from bytes without the call into Node that any text takes: it costs as much as reading thirty bytes here.
 * Most texts of events are ids, names and codes.
 */

/** Longer text is read faster by Node. Bytes. */
export const longestShortText = 36

type ShortText = (bytes: Buffer, at: number) => string | undefined

const readers: ShortText[] = Array.from({ length: longestShortText + 1 }, (_, length) => readerOf(length))

/** The text of bytes that are there, at most `longestShortText` of them; `undefined` when they are not all ASCII. */
export function shortText(bytes: Buffer, at: number, length: number): string | undefined {
  const read = readers[length]
  return read === undefined ? undefined : read(bytes, at)
}

/** Written out for one length: a call with the characters as so many arguments takes a third of the time of one with a list of them. */
function readerOf(length: number): ShortText {
  if (length === 0) return () => ''
  const names = Array.from({ length }, (_, i) => `b${i}`)
  const reads = names.map((name, i) => `${name} = bytes[at + ${i}]`)
  const body = `'use strict'
const ${reads.join(', ')}
return (${names.join(' | ')}) < 128 ? String.fromCharCode(${names.join(', ')}) : undefined`
  // Safe: it has been written out above.
  return new Function('bytes', 'at', body) as ShortText
}
