/** What the contracts look like to others: `evt asyncapi` and `evt catalog`. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser'
import { Parser } from '@asyncapi/parser'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runEvt } from '../testing/run-evt.ts'

const schemas = join(import.meta.dirname, '../../../../schemas')
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evt-describing-'))
})
afterEach(() => rm(folder, { recursive: true }))
const evt = (...argv: string[]) => runEvt([...argv, '--schemas', schemas], { cwd: folder })

describe('evt asyncapi', () => {
  test('prints a document that the official parser has nothing to say about', async () => {
    const { code, stdout, stderr } = await evt('asyncapi', '--title', 'Shop', '--server', 'local=localhost:9092')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const parser = new Parser()
    parser.registerSchemaParser(AvroSchemaParser())
    const { document, diagnostics } = await parser.parse(stdout)
    expect(diagnostics).toEqual([])
    expect(document?.info().title()).toBe('Shop')
    expect(document?.messages().all().length).toBeGreaterThan(25)
  })

  test('writes a file in the form its name says, and tells when it is stale', async () => {
    expect(await evt('asyncapi', '--out', 'docs/api.json', '--check')).toMatchObject({ code: 3 })
    expect(await evt('asyncapi', '--out', 'docs/api.json')).toMatchObject({ code: 0 })
    expect(JSON.parse(await readFile(join(folder, 'docs/api.json'), 'utf8'))).toMatchObject({ asyncapi: '3.1.0' })
    expect(await evt('asyncapi', '--out', 'docs/api.json', '--check')).toMatchObject({ code: 0 })
    await appendFile(join(folder, 'docs/api.json'), ' ')
    const stale = await evt('asyncapi', '--out', 'docs/api.json', '--check', '--json')
    expect(stale).toMatchObject({ code: 3, stderr: expect.stringContaining('next: evt asyncapi --out docs/api.json') })
    expect(stale.json()).toEqual([{ file: 'docs/api.json', stale: true }])
  })

  test('of one owner holds only what is its own', async () => {
    const { stdout } = await evt('asyncapi', '--owner', 'inventory')
    expect(Object.keys(parse(stdout).operations)).toEqual([
      'inventory.send.inventory-events',
      'inventory.receive.order-events',
      'inventory.receive.payment-events',
    ])
  })

  test('never prints the credentials of the registry', async () => {
    const registry = ['--registry', 'http://user:hunter2@localhost:8081']
    const { code, stdout, stderr } = await evt('asyncapi', '--server', 'local=localhost:9092', ...registry)
    expect(code).toBe(0)
    expect(stdout).toContain('schemaRegistryUrl: http://localhost:8081/')
    expect(stdout + stderr).not.toContain('hunter2')
  })

  test.each([
    [['--owner', 'nobody'], 1, 'owns no topic and reads no event'],
    [['--server', 'kafka.example.com'], 2, 'is not a name and a broker'],
    [['--check'], 2, '--check needs a file'],
    [['--format', 'xml'], 2, 'json, yaml'],
  ])('with %j says what is wrong', async (options, code, says) => {
    expect(await evt('asyncapi', ...options)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) })
  })
})

describe('evt catalog', () => {
  test('writes the pages, then nothing until something differs', async () => {
    expect(await evt('catalog', '--out', 'catalog', '--check')).toMatchObject({ code: 3 })
    const first = await evt('catalog', '--out', 'catalog', '--json')
    expect(first.json()).toContainEqual({ kind: 'add', file: 'catalog/events/OrderCreated/index.mdx' })
    expect(await evt('catalog', '--out', 'catalog', '--check')).toMatchObject({ code: 0, stdout: '' })
    await appendFile(join(folder, 'catalog/teams/orders.mdx'), 'more')
    const stale = await evt('catalog', '--out', 'catalog', '--check')
    expect(stale).toMatchObject({ code: 3, stdout: '~ catalog/teams/orders.mdx\n' })
  })

  test('without a folder says what is missing', async () => {
    expect(await evt('catalog')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('evt catalog --out catalog'),
    })
  })
})
