import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSettings, type SettingOptions } from './load-settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evt-settings-'))
  // Otherwise the search would go on above it.
  mkdirSync(join(folder, '.git'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(path: string, content: unknown) {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}

const load = (options: SettingOptions = {}, env: Record<string, string> = {}, below = '.') =>
  loadSettings(options, env, join(folder, below))

describe('a setting is taken', () => {
  const file = {
    brokers: ['file:1'],
    context: 'dev',
    contexts: { dev: { brokers: 'dev:1' }, prod: { brokers: ['prod:1', 'prod:2'] }, empty: {} },
  }
  test.each([
    ['from the option first', { brokers: 'option:1' }, { EVT_BROKERS: 'env:1' }, ['option:1']],
    ['from EVT_ before the context', {}, { EVT_BROKERS: 'env:1, env:2' }, ['env:1', 'env:2']],
    ['from the context that the file names', {}, {}, ['dev:1']],
    ['from the context that EVT_CONTEXT names', {}, { EVT_CONTEXT: 'prod' }, ['prod:1', 'prod:2']],
    [
      'from the context of the option before all others',
      { context: 'prod' },
      { EVT_CONTEXT: 'dev' },
      ['prod:1', 'prod:2'],
    ],
    ['from the file where the context says nothing', { context: 'empty' }, { KAFKA_BROKERS: 'known:1' }, ['file:1']],
  ])('%s', async (_, options, env, expected) => {
    write('evt.config.json', file)
    expect((await load(options, env)).brokers).toEqual(expected)
  })

  test('from the well-known variable last', async () => {
    const settings = await load(
      {},
      { KAFKA_BROKERS: 'known:1', SCHEMA_REGISTRY_URL: 'http://r', DATABASE_URL: 'postgres://d' },
    )
    expect(settings).toMatchObject({ brokers: ['known:1'], registryUrl: 'http://r', databaseUrl: 'postgres://d' })
  })
})

describe('the config file', () => {
  test.each([
    ['evt.config.json', '{ "generated": "out" }'],
    ['evt.config.yaml', 'generated: out\n'],
    ['evt.config.yml', 'generated: out\n'],
    ['evt.config.mjs', "export default { generated: 'out' }"],
    ['evt.config.ts', "const out: string = 'out'\nexport default { generated: out }"],
  ])('may be %s', async (name, text) => {
    write(name, text)
    expect((await load()).generated).toBe(join(folder, 'out'))
  })

  test('is found from below, and its paths are relative to it', async () => {
    write('evt.config.json', { schemas: 'contracts' })
    mkdirSync(join(folder, 'a/b'), { recursive: true })
    const settings = await load({}, {}, 'a/b')
    expect(settings.root).toBe(folder)
    expect(settings.schemas).toBe(join(folder, 'contracts'))
    expect((await load({ schemas: 'mine' }, {}, 'a/b')).schemas).toBe(join(folder, 'a/b/mine'))
  })

  test('above the root of the repository is not ours', async () => {
    write('evt.config.json', { brokers: 'outside:1' })
    mkdirSync(join(folder, 'repository/.git'), { recursive: true })
    const settings = await load({}, {}, 'repository')
    expect(settings.configFile).toBeUndefined()
    expect(settings.schemas).toBe(join(folder, 'repository/schemas'))
  })

  test.each([
    [{ broker: 'a:1' }, 'evt.config.json: unknown key "broker"; did you mean "brokers"?'],
    [{ contexts: { prod: { registry: { ulr: 'x' } } } }, 'evt.config.json: unknown key "contexts.prod.registry.ulr"'],
    [
      { brokers: 12 },
      'evt.config.json: brokers must be a list of texts, or text separated by commas, got the number 12',
    ],
    [{ kafka: { ssl: 'yes' } }, 'kafka.ssl must be true or false, got the string "yes"'],
    [
      { kafka: { sasl: { mechanism: 'gssapi' } } },
      'kafka.sasl.mechanism must be plain, scram-sha-256 or scram-sha-512',
    ],
    [{ contexts: { prod: 'x' } }, 'contexts.prod must be an object'],
    [{ context: 'qa', contexts: { dev: {} } }, 'context is "qa", and "contexts" has dev'],
    [[], 'holds the list, not an object'],
  ])('with %j is refused with its file and key', async (content, says) => {
    write('evt.config.json', content)
    await expect(load()).rejects.toThrow(says)
  })

  test('that is no JSON is refused with its name', async () => {
    write('evt.config.json', '{ brokers: }')
    await expect(load()).rejects.toThrow('evt.config.json cannot be read')
  })

  test('is not taken when there are two', async () => {
    write('evt.config.json', {})
    write('evt.config.yaml', '')
    await expect(load()).rejects.toThrow('evt.config.json, evt.config.yaml')
  })

  test('that is named must be there, and a context must exist', async () => {
    await expect(load({ config: 'nowhere.json' })).rejects.toMatchObject({ exitCode: 2 })
    write('evt.config.json', { contexts: { dev: {} } })
    await expect(load({ context: 'prod' })).rejects.toThrow('there is no context "prod"; evt.config.json has dev')
  })
})

describe('secrets', () => {
  test('are taken from the variable that the file names, when they are used', async () => {
    write('evt.config.json', {
      kafka: { sasl: { username: 'evt', passwordEnv: 'KAFKA_PASSWORD' } },
      registry: { url: 'http://r', tokenEnv: 'TOKEN' },
      database: { urlEnv: 'SHOP_DATABASE' },
    })
    const settings = await load({}, { KAFKA_PASSWORD: 's3cret', SHOP_DATABASE: 'postgres://shop' })
    expect(settings.kafka.sasl).toMatchObject({ mechanism: 'plain', username: 'evt' })
    expect(settings.kafka.sasl?.password.reveal()).toBe('s3cret')
    expect(settings.databaseUrl).toBe('postgres://shop')
    const auth = settings.registryAuth
    expect(() => auth !== undefined && 'token' in auth && auth.token.reveal()).toThrow('environment variable TOKEN')
  })

  test('are never printed', async () => {
    write('evt.config.json', { kafka: { sasl: { username: 'evt', password: 's3cret' } } })
    const settings = await load()
    const printed = `${JSON.stringify(settings)} ${inspect(settings, { depth: 9 })} ${settings.kafka.sasl?.password}`
    expect(printed).not.toContain('s3cret')
    write('evt.config.json', { kafka: { sasl: { password: { s3cret: true } } } })
    await expect(load()).rejects.toThrow(/^(?!.*s3cret)/)
  })

  test.each([
    ['evt.config.json', '{ "registry": { "password": s3cret } }'],
    ['evt.config.yaml', 'registry:\n  password: s3cret\n   url: [x\n'],
    ['evt.config.yaml', 'registry:\n  password: *s3cret\n'],
    ['evt.config.ts', "export default { registry: { password: 'x' s3cret } }"],
  ])('are not quoted by the error of %s that cannot be parsed: %j', async (name, text) => {
    write(name, text)
    const error: unknown = await load().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: expect.stringContaining(`${name} cannot be read`) })
    expect(inspect(error, { depth: 9 }).replaceAll(/^ +at .*$/gm, '')).not.toContain('s3cret')
  })

  test('without their other half are refused', async () => {
    await expect(load({}, { EVT_KAFKA_SASL_USERNAME: 'evt' })).rejects.toThrow('kafka.sasl.password is not')
  })
})
