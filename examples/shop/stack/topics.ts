import { isEvtError } from '@evtkit/sdk'
import { createKafka } from '@evtkit/sdk/kafka'
import { allTopics } from '../contracts/index.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'

/** Makes the topics of the shop that are not there yet. */
export async function createTopics(stack: Stack): Promise<void> {
  const brokers = stack.state.state.kafka?.address.split(',') ?? []
  const kafka = createKafka({ brokers })
  try {
    await kafka.createTopics(allTopics)
    stack.progress(`The ${allTopics.length} topics are there.`)
  } catch (cause) {
    if (!isEvtError(cause)) throw cause
    throw new StackError(`The topics could not be made on the Kafka at ${brokers.join(',')}: ${cause.message}`, {
      cause,
    })
  } finally {
    await kafka.close()
  }
}
