import { existsSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { exitCodes } from './command.ts'
import { CommandError, usageError } from './command-error.ts'
import { type ConfigFile, findConfigFile, isMechanism, listOf, readConfigFile } from './config-file.ts'
import { Secret } from './secret.ts'
import { type KafkaSettings, type RegistryAuth, type SettingName, type Settings, settingKeys } from './settings.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The global options that name settings; paths are relative to the working directory. */
export interface SettingOptions {
  readonly config?: string | undefined
  readonly context?: string | undefined
  readonly schemas?: string | undefined
  readonly brokers?: string | undefined
  readonly registry?: string | undefined
  readonly database?: string | undefined
}

/** Takes each setting from the first that says something: option, `EVT_*`, context, config file, well-known variable. */
export async function loadSettings(options: SettingOptions, env: Env, cwd: string): Promise<Settings> {
  const asked = options.config ?? (env.EVT_CONFIG || undefined)
  const path = asked === undefined ? findConfigFile(cwd) : resolve(cwd, asked)
  if (asked !== undefined && path !== undefined && !existsSync(path))
    throw usageError(`there is no config file ${path}`, 'name one that exists by --config, or leave it out')
  const file = path === undefined ? undefined : await readConfigFile(path)
  const root = path === undefined ? cwd : dirname(path)
  const context = options.context ?? (env.EVT_CONTEXT || undefined) ?? file?.context
  const look = new Lookup(options, env, cwd, root, file, context)
  return {
    root,
    configFile: path,
    context,
    schemas: look.path('schemas') ?? resolve(root, 'schemas'),
    generated: look.path('generated'),
    brokers: look.list('brokers'),
    kafka: kafkaSettings(look),
    registryUrl: look.text('registry.url'),
    registryAuth: registryAuth(look),
    registryCa: look.path('registry.ca'),
    databaseUrl: look.text('database.url'),
  }
}

function kafkaSettings(look: Lookup): KafkaSettings {
  const username = look.text('kafka.sasl.username')
  const password = look.secret('kafka.sasl.password')
  const mechanism = look.text('kafka.sasl.mechanism') ?? 'plain'
  if (!isMechanism(mechanism))
    throw usageError(
      `EVT_KAFKA_SASL_MECHANISM must be plain, scram-sha-256 or scram-sha-512, got ${JSON.stringify(mechanism)}`,
    )
  if (username !== undefined && password === undefined)
    throw new CommandError('kafka.sasl.username is set and kafka.sasl.password is not', {
      exitCode: exitCodes.usage,
      next: 'set kafka.sasl.passwordEnv in the config file, or EVT_KAFKA_SASL_PASSWORD',
    })
  const [ca, cert, key] = [look.path('kafka.ca'), look.path('kafka.cert'), look.path('kafka.key')]
  return {
    ssl: look.flag('kafka.ssl') ?? (ca !== undefined || cert !== undefined),
    ca,
    cert,
    key,
    sasl: username === undefined || password === undefined ? undefined : { mechanism, username, password },
  }
}

function registryAuth(look: Lookup): RegistryAuth | undefined {
  const token = look.secret('registry.token')
  if (token !== undefined) return { token }
  const username = look.text('registry.username')
  return username === undefined ? undefined : { username, password: look.secret('registry.password') ?? Secret.of('') }
}

/** Where a value was found matters for what a relative path is relative to. */
interface Found {
  readonly value: unknown
  readonly folder: string
}

class Lookup {
  readonly #layers: readonly ((key: string) => Found | undefined)[]
  readonly #env: Env
  readonly #file: ConfigFile | undefined

  constructor(
    options: SettingOptions,
    env: Env,
    cwd: string,
    root: string,
    file: ConfigFile | undefined,
    context: string | undefined,
  ) {
    this.#env = env
    this.#file = file
    const inContext = context === undefined ? undefined : file?.contexts.get(context)
    if (context !== undefined && inContext === undefined)
      throw usageError(
        `there is no context "${context}"; ${file === undefined ? 'no config file was found' : `${relative(cwd, file.path)} has ${listOf([...file.contexts.keys()])}`}`,
        'name one that exists by --context, or add it under "contexts" in the config file',
      )
    const optionOf: Readonly<Record<string, string | undefined>> = {
      schemas: options.schemas,
      brokers: options.brokers,
      'registry.url': options.registry,
      'database.url': options.database,
    }
    const variables = new Map<string, { readonly env: string; readonly fallbackEnv?: string }>(
      settingKeys.map((setting) => [setting.key, setting]),
    )
    const found = (value: unknown, folder: string): Found | undefined =>
      value === undefined || value === '' ? undefined : { value, folder }
    this.#layers = [
      (key) => found(optionOf[key], cwd),
      (key) => found(env[variables.get(key)?.env ?? ''], cwd),
      (key) => found(inContext?.get(key), root),
      (key) => found(file?.values.get(key), root),
      (key) => found(env[variables.get(key)?.fallbackEnv ?? ''], cwd),
    ]
  }

  #find(key: string): Found | undefined {
    for (const layer of this.#layers) {
      const found = layer(key)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A text, or what the variable holds that `<key>Env` names, when it is set. */
  text(key: SettingName): string | undefined {
    for (const layer of this.#layers) {
      const value = layer(key)?.value ?? this.#env[String(layer(`${key}Env`)?.value)]
      if (value !== undefined && value !== '') return String(value)
    }
    return undefined
  }

  path(key: SettingName): string | undefined {
    const found = this.#find(key)
    return found === undefined ? undefined : resolve(found.folder, String(found.value))
  }

  list(key: SettingName): readonly string[] | undefined {
    const value = this.#find(key)?.value
    if (value === undefined) return undefined
    const items: readonly unknown[] = Array.isArray(value) ? value : String(value).split(',')
    const texts = items.map((item) => String(item).trim()).filter((item) => item !== '')
    return texts.length === 0 ? undefined : texts
  }

  flag(key: SettingName): boolean | undefined {
    const value = this.#find(key)?.value
    if (value === undefined || typeof value === 'boolean') return value
    if (value === 'true' || value === '1') return true
    if (value === 'false' || value === '0') return false
    throw usageError(`${key} must be true or false, got ${JSON.stringify(value)}`)
  }

  secret(key: SettingName): Secret | undefined {
    for (const layer of this.#layers) {
      const value = layer(key)?.value
      if (value !== undefined) return Secret.of(String(value))
      const name = layer(`${key}Env`)?.value
      if (name !== undefined)
        return Secret.fromEnv(this.#env, String(name), `${key}Env in ${this.#file?.path ?? 'the settings'}`)
    }
    return undefined
  }
}
