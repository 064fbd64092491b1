/** Text that came from outside, such as an error's message: without control characters, and no longer than `longest` characters. */
export function cleaned(text: string, longest: number): string {
  // Cut first: what is thrown away need not be looked at.
  return text.slice(0, longest).replaceAll(controlCharacters, '\ufffd')
}

/** The same for several lines. */
export function cleanedLines(text: string, longest: number): string {
  return text
    .slice(0, longest)
    .split('\n')
    .map((line) => line.replaceAll(controlCharacters, '\ufffd'))
    .join('\n')
}

const controlCharacters = /[\p{Cc}\u2028\u2029]/gu
