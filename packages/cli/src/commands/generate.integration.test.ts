import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EvtOptions, runEvt } from '../testing/run-evt.ts'

let folder: string
let here: EvtOptions

const topics = `namespace: acme
topics:
  order-events:
    partitions: 3
    retention: 30 days
    key: orderId
    owner: orders
    description: Orders
    events: [OrderPlaced]
`
const schema = (fields: readonly object[] = []) => ({
  type: 'record',
  name: 'acme.orders.v1.OrderPlaced',
  doc: 'Somebody wants something.',
  fields: [{ name: 'orderId', type: 'string', doc: 'The order.' }, ...fields],
})
const write = async (path: string, content: string | object) =>
  writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evt-generate-'))
  here = { cwd: folder }
  await mkdir(join(folder, 'schemas/orders'), { recursive: true })
  await write('evt.config.json', { generated: 'src/events' })
  await write('schemas/topics.yaml', topics)
  await write('schemas/orders/OrderPlaced.v1.avsc', schema())
})
afterEach(() => rm(folder, { recursive: true }))

test('writes what the contracts give, once, and tells each file', async () => {
  const first = await runEvt(['generate'], here)
  expect(first.stdout.split('\n').filter((line) => line !== '')).toEqual([
    '+ src/events/orders/order-placed.v1.ts',
    '+ src/events/topics.ts',
    '+ src/events/index.ts',
  ])
  expect(first.code).toBe(0)
  expect(await readFile(join(folder, 'src/events/orders/order-placed.v1.ts'), 'utf8')).toContain(
    'export const OrderPlaced = defineEvent({',
  )
  const second = await runEvt(['generate'], here)
  expect(second).toMatchObject({ code: 0, stdout: '' })
  expect(second.stderr).toContain('3 generated files are up to date')
})

test('--check writes nothing, names what is stale, and ends with 3', async () => {
  await runEvt(['generate'], here)
  expect((await runEvt(['generate', '--check'], here)).code).toBe(0)
  await write(
    'schemas/orders/OrderPlaced.v1.avsc',
    schema([{ name: 'note', type: 'string', doc: 'Words.', default: '' }]),
  )
  const check = await runEvt(['generate', '--check', '--json'], here)
  expect(check.json()).toEqual([{ kind: 'change', file: 'src/events/orders/order-placed.v1.ts' }])
  expect(check.stderr).toContain('evt generate')
  expect(check.code).toBe(3)
  expect((await runEvt(['generate', '--check'], here)).code).toBe(3)
})

test('removes what belongs to no schema any more, and nothing that somebody wrote', async () => {
  await runEvt(['generate'], here)
  await write('src/events/orders/mine.ts', '// by hand\n')
  await write('schemas/topics.yaml', topics.replace('[OrderPlaced]', '[]'))
  await rm(join(folder, 'schemas/orders/OrderPlaced.v1.avsc'))
  expect((await runEvt(['generate'], here)).stdout).toContain('- src/events/orders/order-placed.v1.ts')
  expect(await readdir(join(folder, 'src/events/orders'))).toEqual(['mine.ts'])
})

test('says every problem of the contracts, and writes nothing', async () => {
  await write('schemas/topics.yaml', topics.replace('30 days', 'a while').replace('[OrderPlaced]', '[OrderLost]'))
  const { code, stderr } = await runEvt(['generate'], here)
  expect(code).toBe(1)
  expect(stderr).toContain('topics.yaml line 5: topic order-events: "retention" must be')
  expect(stderr).toContain('OrderLost is listed, but there is no file')
  expect(await readdir(folder)).not.toContain('src')
})

test('without a place to write to is wrong usage, and says how to name one', async () => {
  await rm(join(folder, 'evt.config.json'))
  const { code, stderr } = await runEvt(['generate'], here)
  expect(code).toBe(2)
  expect(stderr).toContain('--out')
  expect((await runEvt(['generate', '--out', 'made'], here)).code).toBe(0)
  expect(await readdir(join(folder, 'made'))).toContain('index.ts')
})
