/** What a check gives back for a value that is not of its type. */
export const invalid: unique symbol = Symbol('invalid')

/** More issues than this are not collected: data can be wrong in each of a million items. */
const mostIssues = 100

/** Where a check stands, and what was found wrong so far. Only made once something is known to be wrong. */
export class ValidationTrail {
  readonly path: (string | number)[] = []
  readonly issues: { readonly path: readonly (string | number)[]; readonly message: string }[] = []

  note(expected: string, got: unknown): void {
    if (this.issues.length < mostIssues)
      this.issues.push({ path: [...this.path], message: `expected ${expected}, got ${describeValue(got)}` })
  }
}

/**
 * Gives the value in the form of its type: itself where nothing had to change, or `invalid`. Without a trail it gives up at
 * the first thing that is wrong.
 */
export type Check = (value: unknown, depth: number, trail: ValidationTrail | undefined) => unknown

export function refuse(trail: ValidationTrail | undefined, expected: string, got: unknown): typeof invalid {
  trail?.note(expected, got)
  return invalid
}

/** A value for a message: short, and never its whole content. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return value.length > 40 ? `text of ${value.length} characters` : JSON.stringify(value)
    case 'number':
    case 'boolean':
      return String(value)
    case 'bigint':
      return value > -(2n ** 128n) && value < 2n ** 128n ? `${value}n` : 'a bigint of more than 128 bits'
    case 'object':
      break
    default:
      return `a ${typeof value}`
  }
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  if (Buffer.isBuffer(value)) return `a Buffer of ${value.length} byte(s)`
  return 'an object'
}
