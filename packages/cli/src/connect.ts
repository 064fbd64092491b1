import { readFileSync } from 'node:fs'
import type { KafkaOptions, KafkaTransport } from '@evtkit/sdk/kafka'
import { CommandError } from './command-error.ts'
import type { Settings } from './settings.ts'

/** A Kafka client by the settings; opens nothing until it is used. @throws CommandError when no brokers are named */
export async function connectKafka(settings: Settings, options: Partial<KafkaOptions> = {}): Promise<KafkaTransport> {
  const { createKafka } = await import('@evtkit/sdk/kafka')
  return createKafka({ ...kafkaOptions(settings), ...options })
}

/** @throws CommandError when no brokers are named, or a file of certificates cannot be read */
export function kafkaOptions(settings: Settings): KafkaOptions {
  const { brokers, kafka } = settings
  if (brokers === undefined)
    throw new CommandError('no Kafka brokers are named', {
      next: 'name them by --brokers host:port, EVT_BROKERS or "brokers" in evt.config.*; evt dev up starts one here',
    })
  const { sasl } = kafka
  return {
    brokers,
    clientId: 'evt',
    requestTimeoutMs: 10_000,
    ...(kafka.ssl && { ssl: tls(kafka) }),
    ...(sasl !== undefined && {
      sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password.reveal() },
    }),
  }
}

function tls({ ca, cert, key }: Settings['kafka']): NonNullable<KafkaOptions['ssl']> {
  if (ca === undefined && cert === undefined && key === undefined) return true
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new CommandError(`the certificate file ${path} cannot be read`, {
        cause,
        next: 'correct kafka.ca, kafka.cert or kafka.key',
      })
    }
  }
  return {
    ...(ca !== undefined && { ca: read(ca) }),
    ...(cert !== undefined && { cert: read(cert) }),
    ...(key !== undefined && { key: read(key) }),
  }
}
