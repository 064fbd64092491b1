import { createKafka } from '@evtkit/sdk/kafka'
import { allTopics } from '../contracts/index.ts'
import type { Stack } from './stack.ts'

/** Makes the topics of the shop that are not there yet. */
export async function createTopics(stack: Stack): Promise<void> {
  const brokers = stack.state.state.kafka?.address.split(',') ?? []
  const kafka = createKafka({ brokers })
  try {
    await kafka.createTopics(allTopics)
    stack.progress(`The ${allTopics.length} topics are there.`)
  } finally {
    await kafka.close()
  }
}
