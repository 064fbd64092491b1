/** The generator is not its own judge: avsc reads the same files, and TypeScript's compiler says what the generated types take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { avroSchema } from '../avro/avro-standard-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { folderFiles } from './contract-files.ts'
import type { EventContract } from './contracts.ts'
import { generate } from './generate.ts'
import { readContracts } from './read-contracts.ts'
import { TypeScriptNames } from './typescript-names.ts'

const root = join(import.meta.dirname, '../../../..')

// What the documentation says of these forms, written down a second time and independently of the code.
class Instant extends avsc.types.LogicalType {
  protected override _fromValue = (value: number) => new Date(value)
  protected override _toValue = (value: unknown) => (value instanceof Date ? value.getTime() : undefined)
}
class Day extends avsc.types.LogicalType {
  protected override _fromValue = (value: number) => new Date(value * 86_400_000).toISOString().slice(0, 10)
  protected override _toValue = (value: unknown) =>
    typeof value === 'string' ? Date.parse(`${value}T00:00:00Z`) / 86_400_000 : undefined
}
class DecimalText extends avsc.types.LogicalType {
  protected override _fromValue = () => ('size' in this.underlyingType ? '-12.5000' : '-12.50')
  protected override _toValue = (value: unknown) =>
    typeof value === 'string' ? Buffer.alloc('size' in this.underlyingType ? 8 : 1) : undefined
}
class Big extends avsc.types.LogicalType {
  protected override _fromValue = (value: number) => BigInt(value)
  protected override _toValue = (value: unknown) => (typeof value === 'bigint' ? Number(value) : undefined)
}
const logicalTypes = { 'timestamp-millis': Instant, date: Day, decimal: DecimalText, 'js-bigint': Big }

/** avsc's own reading of the files themselves, whatever order they need. */
function readByAvsc(folder: string, paths: readonly string[]): ReadonlyMap<string, avsc.Type> {
  const found = new Map<string, avsc.Type>()
  let registry: Record<string, avsc.Type> = {}
  for (let left = [...paths]; left.length > 0; ) {
    const before = left.length
    left = left.filter((path) => {
      const text = readFileSync(join(folder, path), 'utf8').replaceAll(/"js": "bigint"/g, '"logicalType": "js-bigint"')
      const attempt = { ...registry }
      try {
        found.set(path, avsc.Type.forSchema(JSON.parse(text), { registry: attempt, logicalTypes }))
        registry = attempt
        return false
      } catch {
        return true
      }
    })
    if (left.length === before) throw new Error(`avsc cannot read ${left.join(', ')}`)
  }
  return found
}

/** A value as a plain one: avsc makes records of classes of its own. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, plain(inside)]))
}

type Step = string | number
/** Every place in a value, the value itself left out. */
function placesIn(value: unknown, path: readonly Step[] = []): (readonly Step[])[] {
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value)) return []
  return Object.entries(value).flatMap(([name, inside]) => {
    const place = [...path, Array.isArray(value) ? Number(name) : name]
    return [place, ...placesIn(inside, place)]
  })
}

function replaced(value: unknown, [step, ...rest]: readonly Step[], by: unknown): unknown {
  if (step === undefined) return by
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? replaced(item, rest, by) : item))
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, item]) => [name, name === step ? replaced(item, rest, by) : item]),
  )
}

/** Values that no kind but their own takes, in Avro as in TypeScript, and not a form that JSON gives another one. */
const misfits = [null, true, [], [[true]], { misfit: true }]

interface Case {
  readonly event: EventContract
  readonly type: avsc.Type
  readonly valid: readonly unknown[]
  readonly invalid: readonly unknown[]
}

async function read(folder: string) {
  const contracts = await readContracts(folderFiles(folder))
  const paths = (await folderFiles(folder).list()).filter((path) => path.endsWith('.avsc'))
  const types = readByAvsc(folder, paths)
  const cases = contracts.events.filter(hasFiniteValues).map((event): Case => {
    const type = types.get(event.file)
    if (type === undefined) throw new Error(`avsc did not read ${event.file}`)
    const valid = Array.from({ length: 20 }, () => plain(type.random()))
    const mutated = valid.flatMap((value) =>
      placesIn(value).flatMap((place) => misfits.map((misfit) => replaced(value, place, misfit))),
    )
    return { event, type, valid, invalid: mutated.filter((value) => !type.isValid(value)) }
  })
  return { contracts, cases }
}

describe.each([
  ['the contracts of the shop', join(root, 'schemas')],
  ['the hardest contracts', join(root, 'test/stress-contracts/schemas')],
])('%s', async (_, folder) => {
  const { contracts, cases } = await read(folder)

  test.each(cases.map((one) => [one.event.file, one] as const))(
    '%s: data is valid for avsc exactly when it is for us',
    (_, { event, valid, invalid }) => {
      const schema = avroSchema(printAvroSchema(event.data))
      for (const value of valid) {
        expect(schema['~standard'].validate(value)).toEqual({ value })
        expect(schema.validatePublished(value)).toEqual({ value })
      }
      expect(invalid.length).toBeGreaterThan(50)
      for (const value of invalid) expect(schema['~standard'].validate(value), show(value)).toHaveProperty('issues')
    },
  )

  test.each(cases.map((one) => [one.event.file, one] as const))(
    '%s: what we fill in for fields that are missing is valid for avsc',
    (_, { event, type, valid }) => {
      const schema = avroSchema(printAvroSchema(event.data))
      const withDefault = new Set(event.data.fields.filter((field) => field.default).map(({ name }) => name))
      for (const value of valid) {
        const lacking = Object.entries(Object(value)).filter(([name]) => !withDefault.has(name))
        const result = schema['~standard'].validate(Object.fromEntries(lacking))
        // Checked synchronously, always.
        const filled = result instanceof Promise || result.issues !== undefined ? undefined : result.value
        expect(type.isValid(filled), show(filled)).toBe(true)
        expect(Object.keys(Object(filled))).toEqual(event.data.fields.map(({ name }) => name))
      }
    },
  )

  test('the compiler takes what avsc calls valid, and nothing that it calls invalid; only a publisher may leave defaults out', () => {
    const names = new TypeScriptNames(contracts)
    const inputOf = ({ data }: EventContract) => names.input(data) ?? names.type(data)
    const lines = cases.flatMap(({ event, valid, invalid }) => {
      const name = names.type(event.data)
      const without = (field: string) =>
        show(Object.fromEntries(Object.entries(Object(valid[0])).filter(([other]) => other !== field)))
      return [
        ...event.data.fields
          .filter(({ name }) => !(name in Object.prototype))
          .flatMap((field) => [
            ...(field.default === undefined ? ['// @ts-expect-error'] : []),
            `use<${inputOf(event)}>(${without(field.name)})`,
            '// @ts-expect-error',
            `use<${name}>(${without(field.name)})`,
          ]),
        ...valid.slice(0, 3).map((value) => `use<${inputOf(event)}>(${show(value)})`),
        ...valid.slice(0, 3).map((value) => `use<${name}>(${show(value)})`),
        ...spread(invalid, 15).flatMap((value) => ['// @ts-expect-error', `use<${name}>(${show(value)})`]),
      ]
    })
    const used = cases.flatMap(({ event }) => [names.type(event.data), inputOf(event)])
    const imports = [...new Set(used)].join(', ')
    const program = `import type { ${imports} } from './index.ts'\ndeclare function use<T>(value: T): void\n${lines.join('\n')}`
    const files = generate(contracts).map(({ path, text }) => [`/virtual/${path}`, text] as const)
    expect(compile(new Map([...files, ['/virtual/program.ts', program]])).slice(0, 5)).toEqual([])
  }, 60_000)
})

/** Without those of which avsc cannot make up a value: each would hold several of itself, and so on for ever. */
function hasFiniteValues({ type }: EventContract): boolean {
  return type !== 'ForestGrew'
}

/** Some of a list, from all over it. */
function spread<T>(list: readonly T[], count: number): T[] {
  return list.filter((_, index) => index % Math.max(1, Math.floor(list.length / count)) === 0)
}

/** A value as TypeScript. */
function show(value: unknown): string {
  if (value instanceof Date) return 'new Date(0)'
  if (Buffer.isBuffer(value)) return 'Buffer.alloc(0)'
  if (typeof value === 'bigint') return '1n'
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, inside]) => `${JSON.stringify(name)}: ${show(inside)}`)
      .join(', ')} }`
  return JSON.stringify(value) ?? 'undefined'
}

const surroundings = `
interface Buffer { readonly isBuffer: true }
declare const Buffer: { alloc(size: number): Buffer }
declare module '@evtkit/sdk' {
  export function defineTopic(options: object): unknown
  export function defineEvent<Data>(options: { schema: { readonly data: Data }; key: (data: Data) => string; [name: string]: unknown }): unknown
}
declare module '@evtkit/sdk/avro' {
  export function avroSchema<Data, Input = Data>(document: unknown): { readonly data: Data; readonly input: Input }
}
`

/** What the compiler says of these files. */
function compile(files: ReadonlyMap<string, string>): string[] {
  const all = new Map([...files, ['/virtual/surroundings.d.ts', surroundings]])
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: [],
    skipLibCheck: true,
  }
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.directoryExists = () => true
  host.readFile = (path) => all.get(path) ?? readFile(path)
  host.fileExists = (path) => all.has(path) || fileExists(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = all.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
  }
  const program = ts.createProgram([...all.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file?.getFullText().slice(0, start).split('\n').length ?? 0
    const code = file
      ?.getFullText()
      .split('\n')
      .slice(line - 1, line + 1)
      .join(' ')
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')} ${code?.slice(0, 300)}`
  })
}
