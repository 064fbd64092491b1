import type { KafkaTransport } from '@evtkit/sdk/kafka'
import type { Invocation } from './command.ts'
import { connectKafka } from './connect.ts'

/** Lets `step` use a Kafka client by the settings, and closes it whatever happens. The SDK's own words are not printed: its errors say the same. */
export async function withKafka<Result>(
  { settings }: Pick<Invocation, 'settings'>,
  step: (kafka: KafkaTransport) => Promise<Result>,
): Promise<Result> {
  const { silentLogger } = await import('@evtkit/sdk')
  const kafka = await connectKafka(await settings(), { logger: silentLogger })
  try {
    return await step(kafka)
  } finally {
    await kafka.close().catch(() => {})
  }
}
