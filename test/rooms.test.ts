/** Keeps the house in order: which room may import which. A failure names the file, the line it imports, and the rule. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const sdk = join(root, 'packages/sdk/src')

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|dist)[\\/]/.test(file))

const isTest = (file: string) => /\.(test|test-d)\.ts$/.test(file) || file.includes(`${sep}testing${sep}`)

const importsOf = (file: string): string[] =>
  [
    ...readFileSync(file, 'utf8').matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? '')

const roomOf = (file: string) => {
  const [room = ''] = relative(sdk, file).split(sep)
  return room.endsWith('.ts') ? 'front door' : room
}

const adapters = new Set(['kafka', 'memory', 'postgres'])
const withPostgres = new Set(['outbox', 'inbox', 'registry', 'effects', 'dead-letters', 'saga', 'eventsourcing'])
/** The wing of contracts is layered: each may use those before it. */
const contractWing = ['avro', 'registry', 'contracts']
/** The one package a room may name at run time besides Node's own. */
const packages: Record<string, readonly RegExp[]> = {
  core: [/^uuidv7$/, /^@standard-schema\/spec$/],
  kafka: [/^kafkajs(\/|$)/],
  postgres: [/^pg(-|\/|$)/, /^@electric-sql\/pglite/],
  avro: [/^@standard-schema\/spec$/],
  contracts: [/^yaml$/],
}

const mayEnter = (from: string, file: string, to: string): boolean => {
  if (from === to || from === 'front door') return from === to || to === 'core'
  if (from === 'core') return false
  if (to === 'core') return true
  if (adapters.has(from)) return false
  if (contractWing.includes(from) && contractWing.includes(to))
    return contractWing.indexOf(to) < contractWing.indexOf(from)
  const name = relative(sdk, file).split(sep).at(-1) ?? ''
  return to === 'postgres' && withPostgres.has(from) && name.startsWith('postgres-')
}

describe('the rooms of the SDK', () => {
  for (const file of filesBelow(sdk).filter((file) => !isTest(file))) {
    const from = roomOf(file)
    test(`${relative(root, file)} stays within what ${from} may import`, () => {
      const strangers = importsOf(file).filter((name) => {
        if (name.startsWith('node:')) return false
        if (name.startsWith('.')) return !mayEnter(from, file, roomOf(resolve(dirname(file), name)))
        return !(packages[from] ?? []).some((allowed) => allowed.test(name))
      })
      expect(strangers, `${from} may not import these`).toEqual([])
    })
  }

  test('only the files named for a client import it', () => {
    const wrong = filesBelow(join(sdk, 'kafka'))
      .filter((file) => !isTest(file) && importsOf(file).some((name) => /^kafkajs(\/|$)/.test(name)))
      .map((file) => relative(sdk, file))
      .filter((file) => !/kafkajs-[^/\\]*\.ts$/.test(file))
    expect(wrong).toEqual([])
  })
})

describe('the packages around it', () => {
  const outside = ['packages/cli/src', 'packages/local-stack/src', 'examples', 'benchmarks'].flatMap((folder) =>
    filesBelow(join(root, folder)),
  )
  for (const file of outside) {
    test(`${relative(root, file)} enters the SDK by its doors`, () => {
      const doors = new Set(
        Object.keys(JSON.parse(readFileSync(join(root, 'packages/sdk/package.json'), 'utf8')).exports).map((door) =>
          door.replace(/^\./, '@evtkit/sdk'),
        ),
      )
      const wrong = importsOf(file).filter((name) =>
        name.startsWith('@evtkit/sdk')
          ? !doors.has(name)
          : name.startsWith('.') && resolve(dirname(file), name).startsWith(sdk),
      )
      expect(wrong).toEqual([])
    })
  }
})
