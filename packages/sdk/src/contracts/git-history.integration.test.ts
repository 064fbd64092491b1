import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkContracts } from './check-contracts.ts'
import { folderFiles } from './contract-files.ts'
import { gitFiles, usualBase } from './git-files.ts'
import { earlierInGit } from './git-history.ts'
import { readNeverWritten } from './never-written-file.ts'
import { readContracts } from './read-contracts.ts'

const run = promisify(execFile)
let folder: string
let origin: string
let repository: string
let schemas: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-git-'))
  origin = join(folder, 'origin')
  repository = join(folder, 'work')
  schemas = join(repository, 'contracts')
  await mkdir(origin)
  await git(origin, 'init', '--quiet', '--bare', '--initial-branch=main')
  await mkdir(repository)
  await git(repository, 'init', '--quiet', '--initial-branch=main')
  await write(schemas, 'topics.yaml', topics)
  await write(schemas, 'common/Line.avsc', line(sku))
})

afterEach(() => rm(folder, { recursive: true }))

const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false']

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', [...identity, ...args], { cwd, env: { ...process.env, ...env } })
  return stdout.trim()
}

async function write(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), text)
}

async function commit(message: string): Promise<string> {
  await git(repository, 'add', '--all')
  await git(repository, 'commit', '--quiet', '--message', message)
  return git(repository, 'rev-parse', 'HEAD')
}

const topics = `
namespace: shop
topics:
  order-events: { partitions: 3, retention: 1 year, key: orderId, owner: orders, description: Orders, events: [OrderCreated] }
`
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, doc: `The ${name}.`, ...more })
const sku = field('sku', 'string')
const line = (...fields: unknown[]) =>
  JSON.stringify({ type: 'record', name: 'shop.common.Line', doc: 'A line.', fields })
const order = (...fields: unknown[]) =>
  write(
    schemas,
    'orders/OrderCreated.v1.avsc',
    JSON.stringify({
      type: 'record',
      name: 'shop.orders.v1.OrderCreated',
      doc: 'Words.',
      fields: [field('orderId', 'string'), field('lines', { type: 'array', items: 'shop.common.Line' }), ...fields],
    }),
  )
const coupon = field('couponCode', 'string')
const optionalCoupon = field('couponCode', ['null', 'string'], { default: null })

async function check(ref?: string) {
  return checkContracts({
    contracts: await readContracts(folderFiles(schemas)),
    earlier: await earlierInGit({
      folder: schemas,
      ref: ref ?? (await usualBase(schemas)),
      neverWritten: await readNeverWritten(folderFiles(schemas)),
    }),
  })
}

const paths = async (ref?: string) => (await check(ref)).findings.map(({ path, file }) => `${file} ${path}`)

describe('against what is committed', () => {
  test('an edit that is not committed breaks with the last commit', async () => {
    await order()
    await commit('first')
    expect(await paths()).toEqual([])
    await order(coupon)
    expect(await paths()).toEqual(['orders/OrderCreated.v1.avsc data.couponCode'])
    await order(optionalCoupon)
    expect(await paths()).toEqual([])
  })

  test('an edit that is committed breaks with the commits before it, back to the first', async () => {
    await order()
    const first = await commit('first')
    await order(optionalCoupon)
    await commit('second')
    await order(coupon)
    const third = await commit('third')

    const { findings, checked } = await check()

    expect(checked).toEqual([{ event: 'OrderCreated', version: 'v1', earlier: 3 }])
    // With the third it is the same; in the second null may be written.
    expect(findings.map(({ path, against }) => [path, against.map((name) => name.slice(0, 7))])).toEqual([
      ['data.couponCode', [first.slice(0, 7)]],
      ['data.couponCode', [expect.not.stringContaining(third.slice(0, 7))]],
    ])
  })

  test('a type that events share counts as a change of each of them', async () => {
    await order()
    await commit('first')
    await write(schemas, 'common/Line.avsc', line(sku, field('price', 'long')))
    await commit('second')
    expect(await paths()).toEqual(['common/Line.avsc data.lines[].price'])
  })

  test('words alone make no version', async () => {
    await order()
    await commit('first')
    await write(schemas, 'common/Line.avsc', line({ ...sku, doc: 'Other words.' }))
    await commit('second')
    expect((await check()).checked).toMatchObject([{ earlier: 1 }])
  })

  test('a version that nothing was ever written with does not count, once that is said', async () => {
    await order(field('couponCode', 'long'))
    await commit('a mistake')
    await order(optionalCoupon)
    const [finding] = (await check()).findings
    const hash = /hash: ([0-9a-f]+)/.exec(finding?.advice.at(-1) ?? '')?.[1]
    await write(
      schemas,
      'never-written.yaml',
      `- { hash: ${hash}, file: orders/OrderCreated.v1.avsc, because: before the first release }\n`,
    )
    expect(await paths()).toEqual([])
  })

  test('a file in another folder is the same event', async () => {
    await order()
    await commit('first')
    await git(repository, 'mv', 'contracts/orders', 'contracts/sales')
    await git(repository, 'rm', '--cached', '--quiet', '-r', 'contracts/sales')
    const moved = JSON.stringify({
      type: 'record',
      name: 'shop.sales.v1.OrderCreated',
      doc: 'Words.',
      fields: [field('orderId', 'string')],
    })
    await write(schemas, 'sales/OrderCreated.v1.avsc', moved)
    expect((await check()).findings.map(({ kind }) => kind)).toEqual(['record-renamed'])
  })
})

describe('against the branch that others build on', () => {
  beforeEach(async () => {
    await order()
    await commit('first')
    await git(repository, 'remote', 'add', 'origin', origin)
    await git(repository, 'push', '--quiet', 'origin', 'main')
  })

  test('what a branch had in between does not count', async () => {
    await git(repository, 'checkout', '--quiet', '-b', 'feature')
    await order(coupon)
    await commit('not yet right')
    await order(optionalCoupon)
    await commit('right')

    expect(await check()).toMatchObject({ against: 'origin/main', findings: [], notes: [] })
  })

  test('what it merged from a branch counts as it was merged', async () => {
    await git(repository, 'checkout', '--quiet', '-b', 'feature')
    await order(coupon)
    await commit('not yet right')
    await order(optionalCoupon)
    await commit('right')
    await git(repository, 'checkout', '--quiet', 'main')
    await git(repository, 'merge', '--quiet', '--no-ff', '--message', 'merge', 'feature')

    expect((await check('main')).checked).toMatchObject([{ earlier: 2 }])
    expect(await paths('main')).toEqual([])
  })

  test('what was added there meanwhile is not taken for gone', async () => {
    await git(repository, 'checkout', '--quiet', '-b', 'feature')
    await git(repository, 'checkout', '--quiet', 'main')
    await write(schemas, 'topics.yaml', topics.replace('[OrderCreated]', '[OrderCreated, OrderShipped]'))
    await write(
      schemas,
      'orders/OrderShipped.v1.avsc',
      JSON.stringify({
        type: 'record',
        name: 'shop.orders.v1.OrderShipped',
        doc: 'W.',
        fields: [field('orderId', 'string')],
      }),
    )
    await commit('another event')
    await git(repository, 'push', '--quiet', 'origin', 'main')
    await git(repository, 'checkout', '--quiet', 'feature')

    expect(await check()).toMatchObject({ findings: [], notes: [expect.stringContaining('merge origin/main first')] })
  })

  test('a clone without history says what it cannot see', async () => {
    await order(optionalCoupon)
    await commit('second')
    await git(repository, 'push', '--quiet', 'origin', 'main')
    const shallow = join(folder, 'shallow')
    await git(folder, 'clone', '--quiet', '--depth=1', `file://${origin}`, shallow)
    schemas = join(shallow, 'contracts')

    const { checked, notes } = await check()

    expect(checked).toMatchObject([{ earlier: 1 }])
    expect(notes).toEqual([expect.stringContaining('git fetch --unshallow')])
  })

  test('a branch that is not here names the command that brings it', async () => {
    await expect(check('origin/release')).rejects.toThrow('git fetch origin release:refs/remotes/origin/release')
    await expect(check('v9')).rejects.toThrow('git fetch --all --tags')
  })
})

describe('without a history', () => {
  test('a folder outside of git says what else it may be compared with', async () => {
    await rm(join(repository, '.git'), { recursive: true })
    await order()
    await expect(check()).rejects.toThrow('it is in no git repository')
  })

  test('a repository without commits says to commit', async () => {
    await order()
    await expect(check()).rejects.toThrow('nothing is committed')
  })

  test('a base without contracts has nothing to break', async () => {
    await write(repository, 'README.md', 'Hello')
    await git(repository, 'add', 'README.md')
    await git(repository, 'commit', '--quiet', '--message', 'first', '--', 'README.md')
    await order()
    expect(await check()).toMatchObject({
      findings: [],
      notes: [expect.stringContaining('has no files in contracts/')],
    })
  })
})

test('contracts are read as they were at a commit', async () => {
  await order()
  const first = await commit('first')
  await order(optionalCoupon)
  await commit('second')
  const fields = async (ref: string) =>
    (await readContracts(gitFiles(schemas, ref))).events[0]?.data.fields.map(({ name }) => name)
  expect(await fields(first)).toEqual(['orderId', 'lines'])
  expect(await fields('HEAD')).toEqual(['orderId', 'lines', 'couponCode'])
})

test('a history of hundreds of changes is read by a handful of git calls', async () => {
  await order()
  await commit('first')
  // One call makes them all.
  const stream = Array.from({ length: 300 }, (_, index) => {
    const text = JSON.stringify({
      type: 'record',
      name: 'shop.orders.v1.OrderCreated',
      doc: 'Words.',
      fields: [
        field('orderId', 'string'),
        field('lines', { type: 'array', items: 'shop.common.Line' }),
        field(`f${index}`, ['null', 'string'], { default: null }),
      ],
    })
    return `commit refs/heads/main\ncommitter A <a@example.com> ${1_700_000_000 + index} +0000\ndata 1\nx\n${index === 0 ? 'from refs/heads/main^0\n' : ''}M 100644 inline contracts/orders/OrderCreated.v1.avsc\ndata ${Buffer.byteLength(text)}\n${text}\n`
  }).join('')
  const importing = execFile('git', ['fast-import', '--quiet', '--force'], { cwd: repository })
  importing.stdin?.end(stream)
  await new Promise((done) => importing.once('close', done))

  const { checked, findings } = await check('main')

  expect(checked).toEqual([{ event: 'OrderCreated', version: 'v1', earlier: 301 }])
  expect(findings).toEqual([])
})
