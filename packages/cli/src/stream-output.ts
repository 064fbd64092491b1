import { createRequire } from 'node:module'
import type { Output, Style, StyleName } from './output.ts'
import { printable, printableJson, printableLine, withoutCredentials } from './printable.ts'

/** As much of a stream as output needs. */
export interface TextStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const codes: Readonly<Record<StyleName, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/**
 * Stands where our own colours go until all else is escaped. A payload cannot know it, so it cannot colour anything. Loading
 * `node:crypto` for it would cost a quarter of the time in which help is there.
 */
const mark = `\u0000${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}:`

const coloured: Style = styles(
  ([on, off]) =>
    (text) =>
      `${mark}${on}m${text}${mark}${off}m`,
)
const plain: Style = styles(() => (text) => text)

function styles(make: (codes: readonly [number, number]) => (text: string) => string): Style {
  return {
    bold: make(codes.bold),
    dim: make(codes.dim),
    red: make(codes.red),
    green: make(codes.green),
    yellow: make(codes.yellow),
    cyan: make(codes.cyan),
  }
}

/** Escapes everything but our own colours. */
function paint(text: string, show: (text: string) => string): string {
  return text
    .split(mark)
    .map((part, i) => {
      const code = i === 0 ? null : /^\d+m/.exec(part)
      return code === null ? show(part) : `\u001b[${code[0]}${show(part.slice(code[0].length))}`
    })
    .join('')
}

/** Output on two streams. */
export function createOutput(options: {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly json: boolean
  readonly color: boolean
}): Output {
  const { stdout, stderr, json, color } = options
  const terminal = stdout.isTTY === true
  const human = (text: string): string => paint(withoutCredentials(text), printable)
  const say = (text: string) => void stderr.write(`${human(text)}\n`)
  const style = color ? coloured : plain
  const record = (value: unknown) => {
    if (!json) return
    const text = JSON.stringify(value, writable) ?? 'null'
    stdout.write(`${terminal ? printableJson(text) : text}\n`)
  }
  return {
    json,
    terminal,
    style,
    record,
    table(columns, rows) {
      if (json) {
        for (const row of rows) record(row)
        return
      }
      const cells = rows.map((row) =>
        columns.map(({ key }) => paint(withoutCredentials(cellText(row[key])), printableLine)),
      )
      const titles = columns.map(({ title }) => title)
      stdout.write(terminal ? boxed(titles, cells) : aligned(titles, cells))
    },
    line(text = '') {
      if (!json) stdout.write(`${human(text)}\n`)
    },
    raw(text) {
      stdout.write(terminal ? printable(text) : text)
    },
    note: say,
    warn: (text) => say(`${style.yellow('warning:')} ${text}`),
  }
}

/** What JSON has no word for. */
function writable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? String(value) : value
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(cellText).join(', ')
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value, writable) : String(value)
}

function boxed(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  // Only who looks at a table pays for loading it; the package is CommonJS, so it can be had at once.
  const load = createRequire(import.meta.url)
  const Table: typeof import('cli-table3') = load('cli-table3')
  const table = new Table({ head: [...titles], style: { head: [], border: [] } })
  for (const row of rows) table.push([...row])
  return `${table.toString()}\n`
}

function aligned(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [titles, ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map((row) => visibleLength(row[column] ?? ''))))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const visibleLength = (text: string): number => text.replace(/\u001b\[\d+m/g, '').length

/** Whether to use colours: `NO_COLOR` and `--no-color` say no, `FORCE_COLOR` says yes, otherwise a terminal does. */
export function wantsColor(
  stream: TextStream,
  env: Readonly<Record<string, string | undefined>>,
  option: boolean | undefined,
): boolean {
  if (option === false) return false
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}
