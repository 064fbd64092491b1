/** Width that generated lines keep to. */
export const lineWidth = 120

/**
 * A JSON value as TypeScript, laid out as formatters would: on one line where it fits, else one entry to a line.
 *
 * @param indent columns before the line on which it starts.
 * @param before columns of that line that are taken already, behind the indent and on both sides.
 */
export function literal(value: unknown, indent: number, before: number): string {
  if (typeof value !== 'object' || value === null) return scalar(value)
  if (Array.isArray(value)) return arrayLiteral(value, indent, before)
  const entries = Object.entries(value).filter(([, inside]) => inside !== undefined)
  if (entries.length === 0) return '{}'
  const inline = `{ ${entries.map(([name, inside]) => `${propertyName(name)}: ${literal(inside, 0, 0)}`).join(', ')} }`
  if (fits(inline, indent, before)) return inline
  const lines = entries.map(([name, inside]) => {
    const key = propertyName(name)
    // Two for the colon and the blank, one for the comma.
    return `${' '.repeat(indent + 2)}${key}: ${literal(inside, indent + 2, key.length + 3)},\n`
  })
  return `{\n${lines.join('')}${' '.repeat(indent)}}`
}

function arrayLiteral(value: readonly unknown[], indent: number, before: number): string {
  if (value.length === 0) return '[]'
  const inline = `[${value.map((item) => literal(item, 0, 0)).join(', ')}]`
  if (!isListOfObjects(value) && fits(inline, indent, before)) return inline
  const lines = value.map((item) => `${' '.repeat(indent + 2)}${literal(item, indent + 2, 1)},\n`)
  return `[\n${lines.join('')}${' '.repeat(indent)}]`
}

function isListOfObjects(value: readonly unknown[]): boolean {
  return (
    value.length > 1 &&
    value.every(
      (item) => typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length > 1,
    )
  )
}

function fits(text: string, indent: number, before: number): boolean {
  return !text.includes('\n') && indent + before + text.length <= lineWidth
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined'
  const json = JSON.stringify(value)
  // Double quotes are written where they spare more escapes than they cost.
  const singles = value.split("'").length
  const doubles = value.split('"').length
  if (singles > doubles) return json
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** Text as TypeScript. */
export function textLiteral(text: string): string {
  return scalar(text)
}

function propertyName(name: string): string {
  // Plainly written it would set the prototype of the object.
  if (name === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : scalar(name)
}
