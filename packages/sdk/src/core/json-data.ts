import { InvalidEventError, type SchemaIssue } from './errors.ts'
import { type EventDefinition, type Validated, validate } from './event.ts'

/** Deeper data is looked at like odd data; a document that holds itself is found this way too. */
const deepestPlain = 200

/**
 * Checks that the schema accepts what JSON makes of valid data, so that what is published can also be read. A promise only
 * when the data is odd and the schema asynchronous. `text` is the envelope as JSON.
 *
 * @throws InvalidEventError with the path of what JSON cannot carry.
 */
export function mustSurviveJson(event: EventDefinition, data: unknown, text: string): void | Promise<void> {
  // `undefined` is left out, and with it the whole field of the envelope.
  if (data === undefined)
    throw new InvalidEventError(event.type, [{ path: '', message: 'undefined, which JSON leaves out; use null' }])
  // Nearly all data is plain, and looking costs far less than validating a second time.
  if (isPlain(data, 0)) return
  const path = pathOfNonFinite(data, '', new Set())
  if (path !== undefined)
    // A schema that also takes null would read it as that, and nobody would know that something else was meant.
    throw new InvalidEventError(event.type, [
      { path, message: 'NaN or an infinite number, which JSON would turn into null' },
    ])
  // Safe: the text was made of an envelope, which is an object.
  const read = validate(event, (JSON.parse(text) as { data?: unknown }).data)
  return read instanceof Promise ? read.then((later) => accept(event, data, later)) : accept(event, data, read)
}

/**
 * The envelope as JSON text. What JSON has no form for becomes text that every language has one for: a bigint its decimal
 * digits, a Buffer its bytes in base64.
 */
export function jsonText(event: EventDefinition, envelope: { readonly data: unknown }): string {
  try {
    const text = JSON.stringify(envelope)
    // Looking for Node's own form in the text costs far less than looking at every value.
    return text.includes(bufferMark) ? JSON.stringify(envelope, portable) : text
  } catch (cause) {
    if (!holdsBigint(envelope.data, new Set()))
      throw new InvalidEventError(
        event.type,
        [{ path: '', message: `JSON cannot carry it: ${cause instanceof Error ? cause.message : cause}` }],
        { cause },
      )
    return JSON.stringify(envelope, portable)
  }
}

/** Where a number stands that JSON has no form for. */
function pathOfNonFinite(value: unknown, path: string, seen: Set<object>): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return undefined
  seen.add(value)
  for (const [name, item] of Object.entries(value)) {
    const found = pathOfNonFinite(item, path === '' ? name : `${path}.${name}`, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** How the JSON that Node makes of a Buffer begins. */
const bufferMark = '{"type":"Buffer","data":['

function portable(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  // The Buffer has turned itself into an object by now; its holder still has it.
  const original = fieldOf(this, name)
  return Buffer.isBuffer(original) ? original.toString('base64') : value
}

/** Whether JSON gives the value back as it is, but for fields that are undefined, which are left out. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth === deepestPlain) return false
  if (Array.isArray(value)) {
    for (const item of value) if (item === undefined || !isPlain(item, depth + 1)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  // Read by name only: nothing is known of the object but that it is one.
  const fields = value as { readonly [name: string]: unknown }
  for (const name in fields) if (!isPlain(fields[name], depth + 1)) return false
  return true
}

function accept(event: EventDefinition, data: unknown, read: Validated<unknown>): void {
  if (!('issues' in read)) return
  throw new InvalidEventError(
    event.type,
    read.issues.map((issue) => explain(data, issue)),
  )
}

function explain(data: unknown, { path, message }: SchemaIssue): SchemaIssue {
  let value = data
  for (const step of path === '' ? [] : path.split('.')) value = fieldOf(value, step)
  const what =
    value instanceof Date
      ? 'a Date, which JSON would turn into text; use z.coerce.date() or z.iso.datetime()'
      : typeof value === 'bigint'
        ? 'a bigint, which JSON would turn into text that the definition refuses; use z.coerce.bigint() or text'
        : `${describe(value)}, which JSON would turn into something that the definition refuses`
  return { path, message: `${what} (${message})` }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  // Safe: it has just been seen to have the field.
  return (value as { readonly [name: string]: unknown })[name]
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a value of type ${typeof value}`
  const prototype: unknown = Object.getPrototypeOf(value)
  const name = prototype === null ? '' : value.constructor?.name
  return name === '' || name === undefined ? 'an object' : `a value of class ${name}`
}

/** Looks into odd data only, so it need not be fast. Data that holds itself has no JSON form either way. */
function holdsBigint(value: unknown, seen: Set<object>): boolean {
  if (typeof value === 'bigint') return true
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  return Object.values(value).some((item) => holdsBigint(item, seen))
}
