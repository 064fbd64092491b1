import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fetchJars, findJava } from '@evtkit/local-stack'
import { beforeAll, describe, expect, test } from 'vitest'
import { checkCompatibility, type Incompatibility } from './compatibility.ts'
import { parseAvroSchema } from './parse-avro-schema.ts'
import { drawSchemaPairs } from './testing/schema-pairs.ts'

interface Case {
  readonly reader: unknown
  readonly writer: unknown
  readonly about: string
}

interface Verdict {
  readonly compatible?: boolean
  readonly incompatibilities?: readonly { readonly kind: string; readonly location: string }[]
  readonly error?: string
}

const pairs = drawSchemaPairs(20261124, 400)
const drawn = pairs.flatMap(({ before, after, changes }, index): Case[] => [
  { reader: after, writer: before, about: `pair ${index} backward (${changes.join('; ')})` },
  { reader: before, writer: after, about: `pair ${index} forward (${changes.join('; ')})` },
])

describe('verdicts on 400 drawn pairs, read both ways, are those of Avro in Java', () => {
  let theirs: readonly Verdict[]
  let ours: readonly (readonly Incompatibility[])[]

  beforeAll(async () => {
    theirs = await askJava(drawn)
    ours = drawn.map(({ reader, writer }) =>
      checkCompatibility({ reader: parseAvroSchema(reader), writer: parseAvroSchema(writer) }),
    )
  }, 120_000)

  test('the pairs are of both sorts, and of every kind', () => {
    const compatible = theirs.filter((verdict) => verdict.compatible === true).length
    expect(theirs).toHaveLength(drawn.length)
    expect(compatible).toBeGreaterThan(200)
    expect(theirs.length - compatible).toBeGreaterThan(200)
    expect(new Set(ours.flat().map(({ kind }) => kind)).size).toBe(6)
  })

  test('no pair is judged otherwise', () => {
    const disagreements = drawn.flatMap((one, index) =>
      (ours[index]?.length === 0) === theirs[index]?.compatible ? [] : [{ ...one, theirs: theirs[index] }],
    )
    expect(disagreements).toEqual([])
  })

  test('what is found is of the same kind at the same place', () => {
    const differences = drawn.flatMap(({ about }, index) => {
      const mine = new Set((ours[index] ?? []).map(inTheirWords))
      const java = new Set((theirs[index]?.incompatibilities ?? []).map(({ kind, location }) => `${kind} ${location}`))
      const same = mine.size === java.size && [...mine].every((one) => java.has(one) || startsAtUnion(one, java))
      return same ? [] : [{ about, mine: [...mine], java: [...java] }]
    })
    expect(differences).toEqual([])
  })
})

/** A field that is missing, has no default, and is an enum with one: Java goes on to compare the enum with the record around it. */
function inTheirWords({ kind, location, reader, missing }: Incompatibility): string {
  const field = reader.kind === 'record' ? reader.fields.find(({ name }) => name === missing[0]) : undefined
  return kind === 'READER_FIELD_MISSING_DEFAULT_VALUE' &&
    field?.type.kind === 'enum' &&
    field.type.default !== undefined
    ? `TYPE_MISMATCH ${location}/type`
    : `${kind} ${location}`
}

/** A type that was met first within a union: Java remembers the place from the union's branch on, and says that one ever after. */
function startsAtUnion(finding: string, java: ReadonlySet<string>): boolean {
  const [kind = '', location = ''] = finding.split(' ')
  return [...java].some((other) => other.startsWith(`${kind} /`) && location.endsWith(other.slice(kind.length + 1)))
}

describe('on its edges', () => {
  const record = (name: string, ...fields: unknown[]) => ({ type: 'record', name, fields })
  const cases: [about: string, reader: unknown, writer: unknown][] = [
    ['errors are records', { ...record('E'), type: 'error' }, record('E')],
    ['a namespace alone', record('a.X'), record('b.X')],
    ['an alias with its namespace', { ...record('a.X'), aliases: ['b.Y'] }, record('b.Y')],
    ['an alias without, in the namespace of the type', { ...record('a.X'), aliases: ['Y'] }, record('b.Y')],
    ['a union in another order', ['string', 'null'], ['null', 'string']],
    ['a union with a wider number', ['null', 'double'], ['int', 'null']],
    ['a union into one type that takes all', 'double', ['int', 'long', 'float']],
    ['a union into one type that does not', 'long', ['int', 'long', 'float']],
    ['a union of one', ['int'], 'int'],
    ['a single type out of a union of one', 'int', ['int']],
    ['text and bytes in a union', ['bytes'], ['string']],
    ['a default of its own for null', record('X', { name: 'a', type: 'null', default: null }), record('X')],
    ['a nullable field without a default', record('X', { name: 'a', type: ['null', 'int'] }), record('X')],
    [
      'decimals of another scale',
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 4 },
    ],
    ['a fixed as bytes', 'bytes', { type: 'fixed', name: 'F', size: 2 }],
    ['an enum as text', 'string', { type: 'enum', name: 'E', symbols: ['A'] }],
    [
      'a default that is not for the branch written',
      { type: 'enum', name: 'E', symbols: ['A'], default: 'A' },
      { type: 'enum', name: 'E', symbols: ['B'] },
    ],
    [
      'two branches of one simple name',
      ['null', record('a.X', { name: 'p', type: 'int' }), record('b.X')],
      ['null', record('b.X')],
    ],
    [
      'a list of itself with a change inside',
      record('T', { name: 'c', type: { type: 'array', items: 'T' } }, { name: 'v', type: 'int' }),
      record('T', { name: 'c', type: { type: 'array', items: 'T' } }, { name: 'v', type: 'long' }),
    ],
    [
      'one branch proven wrong by what is inside itself',
      record('T', { name: 'c', type: ['null', 'T'] }, { name: 'v', type: 'int' }),
      record('T', { name: 'c', type: ['null', 'T'] }, { name: 'v', type: 'string' }),
    ],
  ]
  let theirs: readonly Verdict[]

  beforeAll(async () => {
    theirs = await askJava(cases.map(([about, reader, writer]) => ({ about, reader, writer })))
  }, 120_000)

  test.each(cases)('%s', (about, reader, writer) => {
    const index = cases.findIndex(([name]) => name === about)
    const ours = checkCompatibility({ reader: parseAvroSchema(reader), writer: parseAvroSchema(writer) })
    expect({ compatible: ours.length === 0 }).toEqual({ compatible: theirs[index]?.compatible })
  })

  test('where Java gives up because two fields are one by an alias, nothing can be read either', async () => {
    const reader = record('X', { name: 'b', type: 'int', aliases: ['a'] })
    const writer = record('X', { name: 'a', type: 'int' }, { name: 'b', type: 'int' })
    const [theirs] = await askJava([{ about: '', reader, writer }])

    expect(theirs?.error).toContain('matches multiple fields')
    expect(checkCompatibility({ reader: parseAvroSchema(reader), writer: parseAvroSchema(writer) })).toMatchObject([
      { kind: 'NAME_MISMATCH', path: 'b' },
    ])
  }, 60_000)
})

/** One Java process for all of them. */
async function askJava(cases: readonly Case[]): Promise<Verdict[]> {
  const { java } = await findJava(17)
  const libs = await fetchJars({
    title: 'Apache Avro 1.12.1',
    folder: 'avro-1.12.1',
    artifacts: ['org.apache.avro:avro:1.12.1', 'org.slf4j:slf4j-nop:2.0.17'],
    size: '10 files, 6 MB',
  })
  const source = join(import.meta.dirname, 'testing/CompatibilityOracle.java')
  const child = spawn(java, ['-cp', join(libs, '*'), source], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.end(cases.map(({ reader, writer }) => `${JSON.stringify({ reader, writer })}\n`).join(''))
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  if (code !== 0) throw new Error(`java ended with ${code}: ${stderr}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
