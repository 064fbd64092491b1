/** C0 without tab and newline, DEL, C1, and what turns the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const escaped = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** Text that a terminal shows instead of obeying: control characters and bidirectional overrides are escaped. Lines stay lines. */
export function printable(text: string): string {
  return text.replace(unsafe, escaped)
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t')
}

/** JSON that means the same and holds no character that a terminal would obey. */
export function printableJson(json: string): string {
  return json.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The text without the passwords in its URLs: before the `@`, and among the parameters. A user alone may be seen. */
export function withoutCredentials(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/?#@:]*):[^\s/?#]*@/gi, '$1$2:***@')
    .replace(/([?&](?:password|passwd|pwd|token|secret|api_?key)=)[^\s&#"']*/gi, '$1***')
}

/** For messages, which may hold what somebody wrote in the wrong place: `user:password@host` needs no scheme there. */
export function withoutSecrets(text: string): string {
  return withoutCredentials(text).replace(/([^\s"'/?#@:,]+):(?!\*\*\*@|\/\/)[^\s"'/]+@(?=[\w[])/g, '$1:***@')
}
