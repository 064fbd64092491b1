import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { runEvt } from '../testing/run-evt.ts'

const brokers = inject('kafkaBrokers')
const kafka = createKafka({ brokers: brokers.split(','), logger: silentLogger })
const folder = mkdtempSync(join(tmpdir(), 'evt-topics-'))
const prefix = `cli-${randomUUID().slice(0, 8)}`
const [orders, carts, theirs] = [`${prefix}-orders`, `${prefix}-carts`, `${prefix}-theirs`]

afterAll(async () => {
  const names = (await kafka.listTopics()).map(({ name }) => name)
  await kafka.deleteTopics(names.filter((name) => name.startsWith(prefix)))
  await kafka.close()
  rmSync(folder, { recursive: true })
})

const topic = (name: string, settings: string) =>
  `  ${name}:\n    key: orderId\n    owner: orders\n    description: Orders\n    events: []\n${settings.replace(/^/gm, '    ')}\n`

function contracts(...topics: readonly string[]) {
  mkdirSync(join(folder, 'schemas'), { recursive: true })
  writeFileSync(join(folder, 'schemas/topics.yaml'), `namespace: shop\n\ntopics:\n${topics.join('\n')}`)
}

const evt = (...argv: string[]) => runEvt(argv, { cwd: folder, env: { EVT_BROKERS: brokers } })

/** What concerns the topics of this file; the cluster has those of others too. */
const steps = (lines: readonly Record<string, unknown>[]) =>
  lines.filter(({ topic }) => String(topic).startsWith(prefix)).map(({ topic, action }) => `${action} ${topic}`)

describe.sequential('the topics of a cluster', () => {
  test('are planned, applied as printed, and then as the contracts say', async () => {
    contracts(
      topic(orders, 'partitions: 3\nretention: 30 days'),
      topic(theirs, 'partitions: 3\nretention: 30 days\nexternal: true'),
    )
    const plan = await evt('topics', 'plan', '--json')
    expect(plan.code, plan.stderr).toBe(0)
    expect(steps(plan.json())).toEqual([`create ${orders}`, `external ${theirs}`])

    const check = await evt('topics', 'check')
    expect(check.code).toBe(3)
    expect(check.stdout).toContain(orders)

    const unasked = await evt('topics', 'apply')
    expect(unasked.code).toBe(2)
    expect(unasked.stderr).toContain('--yes')
    expect(await kafka.describeTopics([orders])).toEqual([])

    const applied = await evt('topics', 'apply', '--yes')
    expect(applied.code, applied.stderr).toBe(0)
    expect(applied.stderr).toContain(`created ${orders}`)
    expect(await kafka.describeTopics([orders, theirs])).toMatchObject([{ partitions: 3, retentionMs: 2_592_000_000 }])

    expect((await evt('topics', 'check')).code).toBe(0)
  })

  test('grow with a warning, and are cut only when told to', async () => {
    contracts(topic(orders, 'partitions: 4\nretention: 7 days'))
    const refused = await evt('topics', 'apply', '--yes')
    expect(refused.code).toBe(3)
    expect(refused.stdout).toContain('--allow-data-loss')
    expect(await kafka.describeTopics([orders])).toMatchObject([{ partitions: 3 }])

    const applied = await evt('topics', 'apply', '--yes', '--allow-data-loss')
    expect(applied.code, applied.stderr).toBe(0)
    expect(applied.stdout).toContain('keys move')
    await expect.poll(() => kafka.describeTopics([orders])).toMatchObject([{ partitions: 4, retentionMs: 604_800_000 }])
  })

  test('are never shrunk', async () => {
    contracts(topic(orders, 'partitions: 1\nretention: 7 days'))
    const { code, stdout } = await evt('topics', 'apply', '--yes', '--allow-data-loss')
    expect(code).toBe(3)
    expect(stdout).toContain('cannot take partitions away')
    expect((await evt('topics', 'plan')).code).toBe(3)
  })

  test('can be changed by a plan that was written down, unless they have changed since', async () => {
    contracts(topic(orders, 'partitions: 4\nretention: 7 days'), topic(carts, 'partitions: 1\nretention: forever'))
    expect((await evt('topics', 'plan', '--out', 'plan.json')).code).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))).toMatchObject({ planVersion: 1 })
    expect((await evt('topics', 'apply', 'plan.json', '--yes')).code).toBe(0)
    const again = await evt('topics', 'apply', 'plan.json', '--yes')
    expect(again.code).toBe(1)
    expect(again.stderr).toContain(`"${carts}" has been created`)
    expect(again.stderr).toContain('evt topics plan')
  })

  test('are shown as a program reads it before anything is done, with what is refused and why', async () => {
    const more = `${prefix}-more`
    contracts(
      topic(orders, 'partitions: 1\nretention: 7 days'),
      topic(more, 'partitions: 1\nretention: 1 day\nreplicas: 1'),
    )
    const shown = await evt('topics', 'plan')
    expect(shown.stdout).toContain('1 partition, 1 day, 1 copy')
    const { code, json } = await evt('topics', 'apply', '--yes', '--json')
    expect(code).toBe(3)
    const ours = json().filter(
      (line) => String(line.topic ?? line.applied).startsWith(prefix) && line.action !== 'unknown',
    )
    expect(ours).toEqual([
      expect.objectContaining({
        topic: orders,
        action: 'refuse',
        remarks: [expect.stringContaining('cannot take partitions away')],
      }),
      expect.objectContaining({ topic: more, action: 'create' }),
      { applied: more, action: 'create' },
    ])
  })

  test('are listed with their owner', async () => {
    const { code, stdout } = await evt('topics', 'list', '--json', '--limit', '10000')
    expect(code).toBe(0)
    const listed = stdout.split('\n').filter((line) => line.includes(`"${orders}"`))
    expect(JSON.parse(listed[0] ?? '')).toEqual({
      name: orders,
      partitions: 4,
      replicas: 1,
      retentionMs: 604_800_000,
      cleanup: 'delete',
      owner: 'orders',
    })
    expect((await evt('topics', 'list', '--limit', 'many')).code).toBe(2)
  })

  test('cannot be looked at without a broker, which says what to do', async () => {
    const { code, stderr } = await runEvt(['topics', 'plan', '--brokers', '127.0.0.1:1'], { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toContain('the broker is not available')
    expect(stderr).toContain('evt dev up')
    const none = await runEvt(['topics', 'plan'], { cwd: folder })
    expect(none.stderr).toContain('no Kafka brokers are named')
    expect(none.code).toBe(2)
  })
})
