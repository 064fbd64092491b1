import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { exitCodes } from './command.ts'
import { CommandError } from './command-error.ts'
import { nearest } from './nearest.ts'
import { type SettingKey, settingKeys, shorthands } from './settings.ts'

export const configFileNames = ['json', 'yaml', 'yml', 'js', 'mjs', 'ts'].map((ending) => `evt.config.${ending}`)

/** Values by dotted key; secrets given by the name of a variable are under `<key>Env`. */
export type FlatConfig = ReadonlyMap<string, unknown>

export interface ConfigFile {
  /** Absolute. */
  readonly path: string
  readonly values: FlatConfig
  /** The context used when none is asked for. */
  readonly context: string | undefined
  readonly contexts: ReadonlyMap<string, FlatConfig>
}

/** The nearest `evt.config.*`, looked for from `folder` up to the root of the git repository it is in, or the root of the disk. */
export function findConfigFile(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = configFileNames.map((name) => join(at, name)).filter((path) => existsSync(path))
    if (found.length > 1)
      throw new CommandError(
        `${at} has ${found.length} config files: ${found.map((path) => basename(path)).join(', ')}`,
        {
          exitCode: exitCodes.usage,
          next: 'keep one of them, or name it by --config',
        },
      )
    if (found[0] !== undefined) return found[0]
    if (existsSync(join(at, '.git')) || dirname(at) === at) return undefined
  }
}

/** @throws CommandError that names the file, the key, what was expected and what is there */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const document = await load(path)
  const name = basename(path)
  if (!isObject(document))
    throw new CommandError(`${name} holds ${kindOf(document)}, not an object of settings`, {
      exitCode: exitCodes.usage,
      next: `correct ${path}`,
    })
  const { context, contexts, ...rest } = document
  if (context !== undefined && typeof context !== 'string')
    throw invalid(path, 'context', 'the name of one of "contexts"', context)
  if (contexts !== undefined && !isObject(contexts))
    throw invalid(path, 'contexts', 'an object of contexts by name', contexts)
  const byName = new Map<string, FlatConfig>()
  for (const [contextName, values] of Object.entries(contexts ?? {})) {
    if (!isObject(values)) throw invalid(path, `contexts.${contextName}`, 'an object of settings', values)
    byName.set(contextName, flatten(path, values, `contexts.${contextName}.`))
  }
  if (context !== undefined && !byName.has(context))
    throw new CommandError(`${name}: context is "${context}", and "contexts" has ${listOf([...byName.keys()])}`, {
      exitCode: exitCodes.usage,
      next: `correct ${path}`,
    })
  return { path, values: flatten(path, rest, ''), context, contexts: byName }
}

async function load(path: string): Promise<unknown> {
  const name = basename(path)
  try {
    if (name.endsWith('.json')) return parseJson(readFileSync(path, 'utf8'))
    if (/\.ya?ml$/.test(name)) return await parseYaml(readFileSync(path, 'utf8'))
    if (name.endsWith('.ts')) {
      const { createJiti } = await import('jiti')
      return await createJiti(import.meta.url).import(path, { default: true })
    }
    const module: unknown = await import(pathToFileURL(path).href)
    return isObject(module) && 'default' in module ? module.default : module
  } catch (error) {
    // What cannot be parsed is quoted by the message, and what it quotes may be a password.
    if (error instanceof Error && /^(SyntaxError|ParseError)$/.test(error.name))
      throw new CommandError(`${name} cannot be read: it has an error of syntax`, {
        exitCode: exitCodes.usage,
        next: `correct ${path}`,
      })
    throw new CommandError(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
      exitCode: exitCodes.usage,
      next: `correct ${path}`,
    })
  }
}

/** Neither tells what stands in the file, as their parsers would: it may be a password. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined)
    throw new Error(`it is not YAML at line ${lineCounter.linePos(error.pos[0]).line} (${error.code})`)
  try {
    return document.toJS() ?? {}
  } catch {
    throw new Error('it is YAML with an alias that leads nowhere, or to too much')
  }
}

const byKey = new Map<string, SettingKey>(settingKeys.map((setting) => [setting.key, setting]))
const groups = new Set(
  settingKeys.flatMap(({ key }) => {
    const parts = key.split('.')
    return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('.'))
  }),
)
const known = (key: string): boolean =>
  byKey.has(key) || groups.has(key) || byKey.get(key.replace(/Env$/, ''))?.secret === true

function flatten(path: string, object: Readonly<Record<string, unknown>>, at: string, prefix = ''): FlatConfig {
  const flat = new Map<string, unknown>()
  for (const [name, value] of Object.entries(object)) {
    const key = `${prefix}${name}`
    const where = `${at}${key}`
    if (!known(key)) {
      const siblings = [...byKey.keys(), ...groups, ...(at === '' && prefix === '' ? ['context', 'contexts'] : [])]
      const guess = nearest(key, siblings)
      throw new CommandError(
        `${basename(path)}: unknown key "${where}"${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
        { exitCode: exitCodes.usage, next: `correct ${path}` },
      )
    }
    if (groups.has(key)) {
      const short = shorthands.some((group) => group === key)
      if (short && typeof value === 'string') flat.set(`${key}.url`, value)
      else if (isObject(value)) for (const [inner, found] of flatten(path, value, at, `${key}.`)) flat.set(inner, found)
      else throw invalid(path, where, short ? 'a URL, or an object with "url"' : 'an object', value)
      continue
    }
    const setting = byKey.get(key)
    const problem =
      setting === undefined ? typeof value !== 'string' && 'the name of a variable' : misfit(setting, value)
    if (problem) throw invalid(path, where, problem, setting?.secret === true ? undefined : value)
    flat.set(key, value)
  }
  return flat
}

/** What was expected, when `value` is something else. */
function misfit({ kind, key }: SettingKey, value: unknown): string | false {
  switch (kind) {
    case 'flag':
      return typeof value !== 'boolean' && 'true or false'
    case 'mechanism':
      return !isMechanism(value) && 'plain, scram-sha-256 or scram-sha-512'
    case 'list':
      return (
        !(typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'))) &&
        'a list of texts, or text separated by commas'
      )
    default:
      return typeof value !== 'string' && (key.endsWith('url') ? 'a URL' : 'a text')
  }
}

export function isMechanism(value: unknown): value is 'plain' | 'scram-sha-256' | 'scram-sha-512' {
  return value === 'plain' || value === 'scram-sha-256' || value === 'scram-sha-512'
}

function invalid(path: string, key: string, expected: string, value: unknown): CommandError {
  const got = value === undefined ? 'something else' : `${kindOf(value)} ${JSON.stringify(value)}`
  return new CommandError(`${basename(path)}: ${key} must be ${expected}, got ${got}`, {
    exitCode: exitCodes.usage,
    next: `correct ${path}`,
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'the list' : `the ${typeof value}`

export const listOf = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))
