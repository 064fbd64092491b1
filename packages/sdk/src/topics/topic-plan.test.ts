import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  InvalidConfigurationError,
  StaleTopicPlanError,
  TopicMismatchError,
  UnknownTopicError,
} from '../core/errors.ts'
import { createMemoryBroker, type MemoryBroker } from '../memory/index.ts'
import {
  applyTopicPlan,
  isSettled,
  parseTopicPlan,
  planTopics,
  type TopicStep,
  verifyTopics,
  type WantedTopic,
} from './index.ts'

const dayMs = 86_400_000
const orders = { name: 'order-events', partitions: 6, retentionMs: 30 * dayMs }

let broker: MemoryBroker
beforeEach(() => {
  broker = createMemoryBroker()
})
afterEach(() => broker.close())

const plan = (wanted: readonly WantedTopic[], allowDataLoss = false) =>
  planTopics({ admin: broker, wanted, allowDataLoss })
const only = async (wanted: WantedTopic, allowDataLoss = false): Promise<TopicStep> => {
  const [step] = (await plan([wanted], allowDataLoss)).steps
  if (step === undefined) throw new Error('the plan is empty')
  return step
}

describe('a plan', () => {
  test('creates what is missing, and leaves what is as wanted', async () => {
    await broker.createTopics([orders])
    const made = await plan([orders, { ...orders, name: 'payment-events' }])
    expect(made.steps.map(({ topic, action }) => [topic, action])).toEqual([
      ['order-events', 'unchanged'],
      ['payment-events', 'create'],
    ])
    expect(isSettled(made)).toBe(false)
    expect(isSettled(await plan([orders]))).toBe(true)
  })

  test('warns that keys move when partitions are added', async () => {
    await broker.createTopics([{ ...orders, partitions: 3 }])
    const step = await only(orders)
    expect(step.action).toBe('change')
    expect(step.differences).toEqual([{ setting: 'partitions', from: 3, to: 6 }])
    expect(step.remarks.join()).toContain('keys move')
  })

  test.each([
    ['fewer partitions', { partitions: 12 }, {}, 'cannot take partitions away'],
    ['another number of copies', {}, { replicas: 3 }, 'number of copies'],
    ['a shorter retention', { retentionMs: 90 * dayMs }, {}, 'older than the new retention'],
    ['an end to keeping for ever', { retentionMs: -1 }, {}, 'older than the new retention'],
    ['compaction', {}, { cleanup: 'compact' }, 'last record of each key'],
    ['deletion after compaction', { cleanup: 'compact' }, {}, 'older than the retention'],
  ] as const)('refuses %s', async (_, found, wanted, reason) => {
    await broker.createTopics([{ ...orders, ...found }])
    const step = await only({ ...orders, ...wanted })
    expect(step.action).toBe('refuse')
    expect(step.remarks.join()).toContain(reason)
  })

  test.each([
    ['a longer retention', { retentionMs: dayMs }, {}],
    ['keeping for ever', {}, { retentionMs: -1 }],
    ['an end to deletion', { cleanup: 'compact,delete' }, { cleanup: 'compact' }],
    ['an end to compaction', { cleanup: 'compact,delete' }, {}],
  ] as const)('takes %s for a change that loses nothing', async (_, found, wanted) => {
    await broker.createTopics([{ ...orders, ...found }])
    expect(await only({ ...orders, ...wanted })).toMatchObject({ action: 'change', remarks: [] })
  })

  test('lets records be lost only when told so, and says which', async () => {
    await broker.createTopics([{ ...orders, retentionMs: 90 * dayMs }])
    expect((await only(orders)).remarks.join()).toContain('--allow-data-loss')
    const step = await only(orders, true)
    expect(step.action).toBe('change')
    expect(step.remarks).toEqual(['records older than the new retention are deleted for good'])
  })

  test('does nothing about a topic of which one part is refused', async () => {
    await broker.createTopics([{ ...orders, partitions: 12, retentionMs: dayMs }])
    const made = await plan([orders])
    await applyTopicPlan({ admin: broker, plan: made })
    expect(await broker.describeTopics(['order-events'])).toMatchObject([{ partitions: 12, retentionMs: dayMs }])
  })

  test('never touches an external topic, whether it is missing, too small or different', async () => {
    await broker.createTopics([{ ...orders, partitions: 3, retentionMs: dayMs }])
    const made = await plan([
      { ...orders, external: true },
      { ...orders, name: 'theirs', external: true },
    ])
    expect(made.steps.map(({ action }) => action)).toEqual(['external', 'external'])
    expect(made.steps.map(({ remarks }) => remarks.join())).toEqual([
      expect.stringContaining('3 partition(s), 6 are expected'),
      expect.stringContaining('not there'),
    ])
    expect(await applyTopicPlan({ admin: broker, plan: made })).toEqual([])
    expect(await broker.listTopics()).toEqual([{ name: 'order-events', partitions: 3 }])
  })

  test('lists what the cluster has besides, and leaves it', async () => {
    await broker.createTopics([{ ...orders, name: 'left-over' }])
    const made = await plan([])
    expect(made.steps).toMatchObject([{ topic: 'left-over', action: 'unknown' }])
    expect(isSettled(made)).toBe(true)
  })

  test('refuses a topic that is wanted twice', async () => {
    await expect(plan([orders, orders])).rejects.toThrow(InvalidConfigurationError)
  })
})

describe('applying a plan', () => {
  test('does what it says, after which there is nothing left to do', async () => {
    await broker.createTopics([{ ...orders, partitions: 3, retentionMs: dayMs }])
    const wanted = [orders, { ...orders, name: 'payment-events', cleanup: 'compact' } satisfies WantedTopic]
    const applied: string[] = []
    await applyTopicPlan({
      admin: broker,
      plan: await plan(wanted),
      onApplied: ({ action, topic }) => applied.push(`${action} ${topic}`),
    })
    expect(applied).toEqual(['change order-events', 'create payment-events'])
    expect((await plan(wanted)).steps.map(({ action }) => action)).toEqual(['unchanged', 'unchanged'])
  })

  test.each([
    ['was created meanwhile', () => broker.createTopics([{ ...orders, name: 'payment-events' }]), 'has been created'],
    ['was deleted meanwhile', () => broker.deleteTopics(['order-events']), 'has been deleted'],
    ['was changed meanwhile', () => broker.growTopic('order-events', 4), 'partitions (3, now 4)'],
  ])('does nothing when a topic %s', async (_, meanwhile, says) => {
    await broker.createTopics([{ ...orders, partitions: 3 }])
    const made = await plan([orders, { ...orders, name: 'payment-events' }, { ...orders, name: 'third' }])
    await meanwhile()
    const applying = applyTopicPlan({ admin: broker, plan: made })
    await expect(applying).rejects.toThrow(StaleTopicPlanError)
    await expect(applying).rejects.toThrow(says)
    expect((await broker.listTopics()).map(({ name }) => name)).not.toContain('third')
  })

  test('is refused on another cluster than the one it was made for', async () => {
    const made = await planTopics({ admin: broker, wanted: [orders], cluster: 'one' })
    await expect(applyTopicPlan({ admin: broker, plan: made, cluster: 'two' })).rejects.toThrow('for cluster one')
    expect(await broker.listTopics()).toEqual([])
  })

  test('works from a plan that was written down', async () => {
    const made = await plan([orders])
    await applyTopicPlan({ admin: broker, plan: parseTopicPlan(JSON.parse(JSON.stringify(made))) })
    expect(await broker.listTopics()).toEqual([{ name: 'order-events', partitions: 6 }])
  })

  test('takes no plan that shows one thing and would do another', async () => {
    await broker.createTopics([{ ...orders, retentionMs: 1000 }])
    const [step] = (await plan([orders])).steps
    const edited = { ...step, wanted: { ...step?.wanted, retentionMs: 1 } }
    expect(() => parseTopicPlan({ planVersion: 1, cluster: null, steps: [edited] })).toThrow('the plan is damaged')
  })

  test('takes no plan that shows what applying never does', async () => {
    await broker.createTopics([orders])
    const [step] = (await plan([{ ...orders, replicas: 3 }])).steps
    const document = (action: string) => ({ planVersion: 1, cluster: null, steps: [{ ...step, action }] })
    expect(parseTopicPlan(document('refuse')).steps).toHaveLength(1)
    expect(() => parseTopicPlan(document('change'))).toThrow('the plan is damaged')
  })

  test.each([
    null,
    {},
    { planVersion: 2 },
    { planVersion: 1, cluster: null, steps: [{ topic: 'a', action: 'destroy' }] },
  ])('takes no document that is not a plan: %j', (document) => {
    expect(() => parseTopicPlan(document)).toThrow(InvalidConfigurationError)
  })
})

describe('at the start of a service', () => {
  test('topics that exist with enough partitions are fine', async () => {
    await broker.createTopics([{ ...orders, partitions: 8 }])
    await expect(verifyTopics(broker, [orders])).resolves.toBeUndefined()
  })

  test('missing topics are all named, with the command that creates them', async () => {
    const verifying = verifyTopics(broker, [orders, { ...orders, name: 'payment-events' }])
    await expect(verifying).rejects.toThrow(UnknownTopicError)
    await expect(verifying).rejects.toThrow(/"order-events", "payment-events".*evt topics apply/)
  })

  test('topics of others are for their owners to make', async () => {
    const theirs = { ...orders, name: 'partner-events', external: true }
    await expect(verifyTopics(broker, [theirs])).rejects.toThrow(
      /"partner-events"\)\. Ask the owners of "partner-events",/,
    )
    await expect(verifyTopics(broker, [orders, theirs])).rejects.toThrow(/Run evt topics apply\. Ask the owners of/)
  })

  test('topics with too few partitions are named with what they have and need', async () => {
    await broker.createTopics([{ ...orders, partitions: 2 }])
    const verifying = verifyTopics(broker, [orders, { ...orders, name: 'payment-events' }])
    await expect(verifying).rejects.toThrow(TopicMismatchError)
    await expect(verifying).rejects.toThrow(/missing: "payment-events"; "order-events" has 2 of 6 partitions/)
  })
})
