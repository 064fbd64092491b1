/** Members of a group die between writing a failed event to its next topic and moving the offset. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createConsumer, createProducer, fact, silentLogger } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { openDeadLetterTopic, retryTopicDefinitions } from '@evtkit/sdk/retry'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { handledOf, steppedOf, tiers } from './testing/stepped.ts'

const run = crypto.randomUUID().slice(0, 8)
const brokers = inject('kafkaBrokers').split(',')
const kafka = createKafka({ brokers, logger: silentLogger, fetchMaxWaitMs: 100 })
const made: string[] = []
const members = new Set<ChildProcess>()
afterAll(async () => {
  for (const member of members) await ended(member, 'SIGKILL')
  await kafka.deleteTopics(made)
  await kafka.close()
})

function member(group: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const file = fileURLToPath(new URL('./testing/retry-member.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@evtkit/source', '--import', 'tsx', file], {
    env: { ...process.env, ...env, KAFKA_BROKERS: brokers.join(), GROUP: group },
    stdio: 'ignore',
  })
  members.add(child)
  child.once('exit', () => members.delete(child))
  return child
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit')
    if (signal !== undefined) child.kill(signal)
    await exit
  }
  return child.signalCode ?? child.exitCode
}

const keys = Array.from({ length: 9 }, (_, i) => `k${i}`)
/** None, one or two attempts fail; and the third event of three fails for good. */
const failures = (i: number) => [0, 2, 9][i % 3] ?? 0

test('nothing is lost, and what is written twice is recognised as one dead letter', async () => {
  const group = `crash-${run}`
  const topics = [steppedOf(group).topic, handledOf(group).topic, ...retryTopicDefinitions(group, tiers)]
  await kafka.createTopics(topics)
  made.push(...topics.map(({ name }) => name))
  const handled: string[] = []
  const watcher = createConsumer({ source: kafka, group: `${group}-watch`, rejected: () => {}, logger: silentLogger })
  await watcher.on(handledOf(group), ({ data }) => void handled.push(data.key)).start()
  await createProducer({ sender: kafka, source: 'test' }).publishAll(
    keys.map((key, i) => fact(steppedOf(group), { key, failures: failures(i) })),
  )

  for (const step of ['retry.written=crash@1', 'retry.written=crash@5', 'deadLetters.stored=crash@1'])
    expect(await ended(member(group, { EVTKIT_FAILPOINTS: step }))).toBe('SIGKILL')
  const last = member(group)
  const patiently = { timeout: 60_000, interval: 100 }
  const mended = keys.filter((_, i) => failures(i) < 9)
  await vi.waitFor(async () => {
    expect([...new Set(handled)].sort()).toEqual(mended)
    for (const { name } of topics.filter(({ name }) => !/handled|dead-letters/.test(name))) {
      const [committed] = await kafka.committed(group, name)
      const [offsets] = await kafka.offsets(name)
      expect([name, committed?.offset]).toEqual([name, offsets?.high])
    }
  }, patiently)
  expect(await ended(last, 'SIGTERM')).toBe(0)
  await watcher.close()

  const letters = await openDeadLetterTopic({ transport: kafka, group })
  const list = await letters.list()
  await letters.close()
  expect(list.map(({ message }) => String(message.key)).sort()).toEqual(keys.filter((_, i) => failures(i) === 9))
  for (const { attemptCount } of list) expect(attemptCount).toBeGreaterThanOrEqual(3)
  expect(list.reduce((sum, { timesSeen }) => sum + timesSeen, 0)).toBeGreaterThan(list.length)
}, 120_000)
