/** Contracts under change: `evt schema check`, `push`, `list`, `show` and `diff`, as a person runs them. */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRegistryServer, type RegistryServer } from '@evtkit/sdk/registry/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runEvt } from '../testing/run-evt.ts'

const run = promisify(execFile)
let folder: string
let registry: RegistryServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evt-schema-'))
  await cp(join(import.meta.dirname, '../../../../schemas'), join(folder, 'schemas'), { recursive: true })
  await git('init', '--quiet', '--initial-branch=main')
  await commit('contracts')
  registry = createRegistryServer()
  await registry.start()
})

afterEach(async () => {
  await registry.close()
  await rm(folder, { recursive: true })
})

const evt = (...argv: string[]) => runEvt(['schema', ...argv], { cwd: folder, env: { GIT_CONFIG_NOSYSTEM: '1' } })
const evtWithRegistry = (...argv: string[]) => evt(...argv, '--registry', registry.url)

async function git(...args: string[]): Promise<void> {
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false']
  await run('git', [...identity, ...args], { cwd: folder })
}

async function commit(message: string): Promise<void> {
  await git('add', '--all')
  await git('commit', '--quiet', '--message', message)
}

interface AvscFile {
  fields: { name: string; type: unknown; doc?: string; default?: unknown }[]
}

async function edit(file: string, change: (schema: AvscFile) => void): Promise<void> {
  const path = join(folder, 'schemas', file)
  const schema: AvscFile = JSON.parse(await readFile(path, 'utf8'))
  change(schema)
  await writeFile(path, JSON.stringify(schema, null, 2))
}

const addCoupon = (more: object = {}) =>
  edit('orders/OrderCreated.v1.avsc', ({ fields }) => {
    fields.push({ name: 'couponCode', type: 'string', doc: 'What the customer typed in.', ...more })
  })

describe('evt schema check', () => {
  test('passes when nothing changed, and when a change is safe', async () => {
    expect(await evt('check')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('nothing breaks') })
    await addCoupon({ default: '' })
    expect(await evt('check')).toMatchObject({ code: 0, stdout: '' })
  })

  test('fails with 3 and says where, what, who and what to do', async () => {
    await addCoupon()

    const { code, stdout, stderr } = await evt('check')

    expect(code).toBe(3)
    expect(stdout).toMatch(
      /^orders\/OrderCreated\.v1\.avsc {2}OrderCreated v1\n {2}break {2}incompatible at data\.couponCode\n/,
    )
    expect(stdout).toContain('the new schema needs the field "couponCode"')
    expect(stdout).toMatch(/Who: +inventory/)
    expect(stdout).toMatch(/Do: +Give "couponCode" a default/)
    expect(stdout).toContain('orders/OrderCreated.v2.avsc')
    expect(stderr).toContain('BACKWARD_TRANSITIVE: 1 break.')
  })

  test('warns of what readers that run today would fail on, and of a symbol that is gone, and ends with 0', async () => {
    await edit('orders/OrderCreated.v1.avsc', (record) => {
      record.fields = record.fields.filter(({ name }) => name !== 'customerId')
    })
    await edit('orders/OrderCancelled.v1.avsc', (record) => {
      record.fields = JSON.parse(JSON.stringify(record.fields).replace('"PAYMENT_DECLINED",', ''))
    })
    const { code, stdout, stderr } = await evt('check')
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing breaks, 2 warnings.') })
    expect(stdout).toContain('warning  fails readers that run today at data.customerId')
    expect(stdout).toMatch(/Do: +Deploy the readers first \(.*inventory.*\)/)
    expect(stdout).toContain('warning  symbol gone at data.reason')
    expect((await evt('check', '--json')).json()).toMatchObject([
      { severity: 'warning', kind: 'symbol-removed' },
      { severity: 'warning', kind: 'readers-first', consumers: expect.arrayContaining(['inventory']) },
      { summary: { breaks: 0, rules: 0, warnings: 2 } },
    ])
  })

  test('takes a missing doc for a finding, and looks at the rest all the same', async () => {
    await edit('orders/OrderCreated.v1.avsc', ({ fields }) => {
      fields.push({ name: 'note', type: ['null', 'string'], default: null })
    })
    const { code, stdout, stderr } = await evt('check')
    expect(code).toBe(3)
    expect(stdout).toMatch(/rule {2}no doc at data\.note\n {4}What: +the field note has no doc/)
    expect(stderr).toContain('nothing breaks, 1 rule not kept.')
    expect(await evt('diff', 'OrderCreated')).toMatchObject({ code: 0, stdout: expect.stringContaining('+ note: new') })
  })

  test('finds an incompatible edit that is committed already', async () => {
    await addCoupon()
    await commit('oops')
    expect(await evt('check')).toMatchObject({ code: 3, stdout: expect.stringContaining('data.couponCode') })
  })

  test('writes each finding as a line of JSON', async () => {
    await addCoupon()

    const result = await evt('check', '--json')

    expect(result.code).toBe(3)
    expect(result.json()).toMatchObject([
      {
        severity: 'break',
        kind: 'incompatible',
        event: 'OrderCreated',
        version: 'v1',
        file: 'orders/OrderCreated.v1.avsc',
        path: 'data.couponCode',
        compatibility: { direction: 'backward', kind: 'READER_FIELD_MISSING_DEFAULT_VALUE' },
      },
      { summary: { mode: 'BACKWARD_TRANSITIVE', breaks: 1 } },
    ])
  })

  test('looks at the events that are named, in the mode that is asked for', async () => {
    await addCoupon()
    expect(await evt('check', 'OrderCancelled')).toMatchObject({ code: 0 })
    expect(await evt('check', 'OrderCreated', '--mode', 'FORWARD')).toMatchObject({ code: 0 })
    expect(await evt('check', 'OrderCreatd')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no event "OrderCreatd"'),
    })
    expect(await evt('check', '--mode', 'SIDEWAYS')).toMatchObject({ code: 2 })
  })

  test('compares with a folder', async () => {
    await cp(join(folder, 'schemas'), join(folder, 'released'), { recursive: true })
    await addCoupon()
    await commit('so that git has nothing to say')
    expect(await evt('check', '--against', './released', '--mode', 'BACKWARD')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('in folder ./released'),
    })
  })

  test('compares with a registry, named by its address or in the settings', async () => {
    await evtWithRegistry('push')
    await addCoupon()
    const found = { code: 3, stdout: expect.stringContaining('which version 1 does not write') }
    expect(await evt('check', '--against', registry.url)).toMatchObject(found)
    expect(await evtWithRegistry('check', '--against', 'registry')).toMatchObject(found)
  })

  test('names the command that brings a ref which is not here', async () => {
    expect(await evt('check', '--against', 'origin/main')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('git fetch origin main:refs/remotes/origin/main'),
    })
  })
})

describe('evt schema push', () => {
  test('registers every event, and does nothing the second time', async () => {
    const first = await evtWithRegistry('push', '--json')
    expect(first.code).toBe(0)
    expect(first.json()).toContainEqual(
      expect.objectContaining({
        event: 'OrderCreated',
        subject: 'order-events-shop.orders.v1.OrderCreatedEnvelope',
        state: 'new',
        subjectVersion: 1,
        id: expect.any(Number),
      }),
    )
    const second = await evtWithRegistry('push', '--json')
    expect(new Set(second.json().map(({ state }) => state))).toEqual(new Set(['unchanged']))
  })

  test('only says what it would do, when asked to', async () => {
    expect(await evtWithRegistry('push', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('order-events-shop.orders.v1.OrderCreatedEnvelope'),
      stderr: expect.stringContaining('would be registered'),
    })
    expect((await evtWithRegistry('list', '--subjects', '--json')).json()).toEqual([])
  })

  test('registers nothing when the registry refuses one, and ends with 3', async () => {
    await evtWithRegistry('push')
    await addCoupon()
    await edit('orders/OrderCancelled.v1.avsc', ({ fields }) => {
      fields.push({ name: 'note', type: 'string', doc: 'Words.', default: '' })
    })

    const { code, stderr } = await evtWithRegistry('push')

    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('nothing was registered') })
    const listed = await evtWithRegistry('list', '--registered', '--json')
    expect(listed.json().filter(({ id }) => id === null)).toMatchObject([
      { event: 'OrderCancelled' },
      { event: 'OrderCreated' },
    ])
  })

  test('without a registry it says how to name one', async () => {
    expect(await evt('push')).toMatchObject({ code: 2, stderr: expect.stringContaining('--registry <url>') })
  })
})

describe('evt schema list', () => {
  test('lists the events with topic and subject', async () => {
    const { code, stdout } = await evt('list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/OrderCreated +v1 +order-events +\d+\n/)
    // As wide as it is on a terminal, with its borders.
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(85)
    expect((await evt('list', '--json')).json()).toContainEqual({
      event: 'OrderCreated',
      version: 'v1',
      topic: 'order-events',
      fields: expect.any(Number),
      subject: 'order-events-shop.orders.v1.OrderCreatedEnvelope',
      file: 'orders/OrderCreated.v1.avsc',
    })
  })

  test('lists what the registry has', async () => {
    await evtWithRegistry('push', 'OrderCreated')
    expect((await evtWithRegistry('list', '--subjects', '--json')).json()).toEqual([
      { subject: 'order-events-shop.orders.v1.OrderCreatedEnvelope', versions: 1 },
    ])
  })
})

describe('evt schema show', () => {
  test('shows the fields, those within too, and who reads the event', async () => {
    const { code, stdout } = await evt('show', 'OrderCreated')
    expect(code).toBe(0)
    expect(stdout).toContain('topic order-events, key orderId')
    expect(stdout).toContain('read by inventory')
    expect(stdout).toMatch(/lines\[\]\.quantity +int +Pieces/)
    expect(stdout).toMatch(/cardToken +string +\(personal\)/)
  })

  test('shows the newest version unless another is named', async () => {
    expect((await evt('show', 'PaymentFailed')).stdout).toContain('PaymentFailed v2')
    expect((await evt('show', 'PaymentFailed.v1')).stdout).toContain('PaymentFailed v1')
  })

  test('prints the document that is registered, from the files and from the registry', async () => {
    await evtWithRegistry('push', 'OrderCreated')
    const document = JSON.parse((await evt('show', 'OrderCreated', '--avro')).stdout)
    expect(document).toMatchObject({ type: 'record', name: 'shop.orders.v1.OrderCreatedEnvelope' })
    const subject = 'order-events-shop.orders.v1.OrderCreatedEnvelope'
    expect(JSON.parse((await evtWithRegistry('show', subject, '--avro')).stdout)).toEqual(document)
    expect((await evtWithRegistry('show', subject)).stdout).toMatch(/data\.orderId +string/)
  })

  test('guesses what was meant', async () => {
    expect(await evt('show', 'OrderCreatd')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('evt schema show OrderCreated'),
    })
  })
})

describe('evt schema diff', () => {
  test('says in words what changed', async () => {
    expect(await evt('diff', 'OrderCreated')).toMatchObject({ code: 0, stdout: '' })
    await addCoupon({ default: '' })
    expect(await evt('diff', 'OrderCreated')).toMatchObject({
      code: 0,
      stdout: '+ couponCode: new, string, "" by default\n',
    })
    expect((await evt('diff', 'OrderCreated', '--json')).json()).toEqual([
      { event: 'OrderCreated', version: 'v1', path: 'couponCode', change: 'added', what: 'string, "" by default' },
    ])
  })

  test('compares with a registry', async () => {
    await evtWithRegistry('push')
    await addCoupon({ default: '' })
    expect(await evtWithRegistry('diff', 'OrderCreated', '--against', 'registry')).toMatchObject({
      stdout: expect.stringContaining('+ couponCode'),
    })
  })
})
