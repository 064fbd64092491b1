/** Commands around a service's life: `evt init`, `doctor`, `dev`, `completion`; and how `evt` ends when it is cut short. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { runEvt, startEvt } from '../testing/run-evt.ts'

const schemas = join(import.meta.dirname, '../../../../schemas')
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evt-operating-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const evt = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => runEvt(argv, { cwd: folder, env })

describe('evt init', () => {
  test('makes a service whose contracts and generated files belong together', async () => {
    const made = await evt(['init', 'orders', '--name', 'orders'])
    expect({ code: made.code, stderr: made.stderr }).toMatchObject({ code: 0 })
    const files = await readdir(join(folder, 'orders'), { recursive: true })
    expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', join('schemas', 'topics.yaml')]))
    expect(JSON.parse(await readFile(join(folder, 'orders/package.json'), 'utf8')).name).toBe('orders')
    const checked = await runEvt(['generate', '--check'], { cwd: join(folder, 'orders') })
    expect(checked).toMatchObject({ code: 0 })
  })

  test('touches nothing that is there', async () => {
    await mkdir(join(folder, 'orders'))
    await writeFile(join(folder, 'orders/package.json'), 'mine')
    const refused = await evt(['init', 'orders', '--name', 'orders'])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('package.json')
    expect(await readdir(join(folder, 'orders'))).toEqual(['package.json'])
    expect(await readFile(join(folder, 'orders/package.json'), 'utf8')).toBe('mine')
  })
})

describe('evt doctor', () => {
  const known = () => ['--brokers', inject('kafkaBrokers'), '--registry', inject('registryUrl'), '--schemas', schemas]

  test('looks at each part, one line each, and says what to do about what is missing', async () => {
    const { code, stderr, json } = await evt(['doctor', ...known(), '--database', inject('databaseUrl'), '--json'])
    const findings = new Map(json().map((finding) => [finding.check, finding]))
    expect(findings.get('broker')).toMatchObject({ state: 'ok' })
    expect(findings.get('registry')).toMatchObject({ state: expect.stringMatching(/ok|warn/) })
    expect(findings.get('database')).toMatchObject({ state: expect.stringMatching(/ok|warn/) })
    // Nobody has made the topics of these contracts on this broker.
    expect(findings.get('topics')).toMatchObject({ next: expect.stringContaining('evt topics') })
    expect(code).toBe(json().some(({ state }) => state === 'fail') ? 3 : 0)
    expect(stderr).not.toContain('Error')
  })

  test('says that nothing answers, ends with 3, and keeps the password to itself', async () => {
    const gone = ['--brokers', '127.0.0.1:1', '--registry', 'http://user:hunter2@127.0.0.1:1', '--timeout', '3']
    const database = 'postgres://127.0.0.1:1/orders?user=u&password=hunter2'
    const { code, stdout, stderr } = await evt(['doctor', ...gone, '--database', database, '--schemas', schemas])
    expect(code).toBe(3)
    expect(stdout).toMatch(/FAIL {2}broker/)
    expect(stdout).toMatch(/FAIL {2}registry/)
    expect(stdout).toMatch(/FAIL {2}database/)
    expect(stdout).toContain('->')
    // What one of them is the cause of is not told once more.
    expect(stdout).toMatch(/- {5}topics +not looked at, since broker failed\n/)
    expect(stdout).toMatch(/- {5}schemas +not looked at, since registry failed\n/)
    expect(stdout).toMatch(/- {5}clock +no database and no registry/)
    expect(stdout).not.toContain('evt doctor')
    expect(stderr).toContain('3 of 10 checks failed.')
    expect(stdout + stderr).not.toContain('hunter2')
  })
})

describe('evt dev', () => {
  test('starts a server that outlives the command, tells where it is, and ends it', async () => {
    const only = ['--only', 'postgres', '--data', join(folder, 'data')]
    expect(await evt(['dev', 'status', ...only])).toMatchObject({ code: 1 })
    const up = await evt(['dev', 'up', ...only, '--env'])
    try {
      expect(up).toMatchObject({ code: 0, stdout: expect.stringMatching(/^export DATABASE_URL='postgres:\/\/.+'\n$/) })
      expect(up.stderr).not.toContain('already')
      expect(await evt(['dev', 'up', ...only])).toMatchObject({ code: 0, stderr: 'postgres is already running.\n' })
      const status = await evt(['dev', 'status', ...only, '--json'])
      expect(status).toMatchObject({ code: 0 })
      expect(status.json()).toMatchObject([{ server: 'postgres', running: true }])
    } finally {
      // In a shell that was told where it is, as the help has it.
      const told = { DATABASE_URL: /'(.+)'/.exec(up.stdout)?.[1] ?? '' }
      const down = await evt(['dev', 'down', ...only, '--remove-data', '--json'], told)
      expect(down.json()).toEqual([{ server: 'postgres', ended: true }])
    }
    expect(await evt(['dev', 'status', ...only])).toMatchObject({ code: 1 })
  })

  test('changes nothing on servers that somebody else runs', async () => {
    const topic = `dev-up-${randomUUID()}`
    await mkdir(join(folder, 'schemas'))
    const options = 'partitions: 1, retention: 1 day, key: id, owner: a, description: A, events: []'
    await writeFile(join(folder, 'schemas/topics.yaml'), `namespace: shop\ntopics:\n  ${topic}: { ${options} }\n`)
    const env = { KAFKA_BROKERS: inject('kafkaBrokers'), SCHEMA_REGISTRY_URL: inject('registryUrl') }
    const up = await evt(['dev', 'up', '--contracts', '--only', 'kafka,registry'], env)
    expect(up.code, up.stderr).toBe(0)
    expect(up.stderr).toContain('evt topics plan')
    expect(up.stderr).toContain('evt schema push')
    const listed = await evt(['topics', 'list', '--json', '--limit', '10000'], env)
    expect(listed.code, listed.stderr).toBe(0)
    expect(listed.stdout).not.toContain(topic)
  })

  test('names a server that it does not know', async () => {
    expect(await evt(['dev', 'up', '--only', 'mongo'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('kafka'),
    })
  })
})

describe('evt completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    const { code, stdout, stderr } = await evt(['completion', shell])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('evt complete')
  })

  test('offers commands, and the events of the contracts', async () => {
    const env = { EVT_SCHEMAS: schemas }
    expect((await evt(['complete', '--', 'to'], env)).stdout).toMatch(/^topics/m)
    expect((await evt(['complete', '--', 'schema', 'show', 'OrderC'], env)).stdout).toMatch(/^OrderCreated/m)
  })

  test('knows which shells there are', async () => {
    expect(await evt(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('evt', () => {
  test('ends quietly when its reader has seen enough', async () => {
    const child = await startEvt(['--help'])
    let stderr = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdout?.destroy()
    const [code] = await once(child, 'close')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('whose reader has gone still says by its exit code how it ended', async () => {
    const child = await startEvt(['doctor', '--brokers', '127.0.0.1:1', '--timeout', '2'], { cwd: folder })
    child.stdout?.destroy()
    const [code] = await once(child, 'close')
    expect(code).toBe(3)
  })

  test('never shows what stands in a config file that cannot be read', async () => {
    for (const [file, text] of [
      ['evt.config.json', '{ "database": { "password": s3cret } }'],
      ['evt.config.yaml', 'database:\n  password: "s3cret'],
    ] as const) {
      await writeFile(join(folder, file), text)
      const { code, stdout, stderr } = await evt(['topics', 'list', '--json'])
      expect(code).toBe(2)
      expect(stderr).toContain(`${file} cannot be read`)
      expect(stdout + stderr).not.toContain('s3cret')
      await rm(join(folder, file))
    }
  })

  test('is ended by Ctrl-C with 130 while it waits for a broker that says nothing', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket.on('error', () => {})))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const child = await startEvt(['topics', 'list', '--brokers', `127.0.0.1:${port}`], { cwd: folder })
    await once(silent, 'connection')
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    expect(code).toBe(130)
    for (const socket of sockets) socket.destroy()
    silent.close()
    await once(silent, 'close')
  })
})
