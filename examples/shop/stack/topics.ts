import { Kafka, logLevel } from 'kafkajs'
import { allTopics } from '../contracts/index.ts'
import type { Stack } from './stack.ts'

/** Makes the topics of the shop that are not there yet. */
export async function createTopics(stack: Stack): Promise<void> {
  const brokers = stack.state.state.kafka?.address.split(',') ?? []
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({ topics: allTopics.map((t) => ({ topic: t.name, numPartitions: t.partitions })) })
    stack.progress(`The ${allTopics.length} topics are there.`)
  } finally {
    await admin.disconnect()
  }
}
