import { isEvtError } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { applyTopicPlan, planTopics } from '@evtkit/sdk/topics'
import { readShopContracts } from '../platform/shop-schemas.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'

/** Makes the topics as the contracts say, as `evt topics apply` does. */
export async function applyTopics(stack: Stack): Promise<void> {
  const brokers = stack.state.state.kafka?.address.split(',') ?? []
  const { topics } = await readShopContracts()
  const kafka = createKafka({ brokers })
  try {
    const plan = await planTopics({ admin: kafka, wanted: topics })
    const refused = plan.steps.filter(({ action }) => action === 'refuse')
    if (refused.length > 0)
      throw new StackError(
        `Topics of the Kafka at ${brokers.join(',')} are not as the contracts say: ${refused.map(({ topic, remarks }) => `${topic}: ${remarks.join('; ')}`).join(', ')}.`,
      )
    const done = await applyTopicPlan({ admin: kafka, plan })
    const made = done.filter(({ action }) => action === 'create').length
    const changed = done.length - made
    const what = [made > 0 && `${made} made`, changed > 0 && `${changed} changed`].filter((text) => text !== false)
    stack.progress(`The ${topics.length} topics are there${what.length > 0 ? ` (${what.join(', ')})` : ''}.`)
  } catch (cause) {
    if (!isEvtError(cause)) throw cause
    throw new StackError(`The topics could not be made on the Kafka at ${brokers.join(',')}: ${cause.message}`, {
      cause,
    })
  } finally {
    await kafka.close()
  }
}
