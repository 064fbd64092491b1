import type { Driver } from './driver.ts'
import { KafkajsAdmin, type KafkajsAdminOptions } from './kafkajs-admin.ts'
import { KafkajsConsumer, type KafkajsConsumerOptions } from './kafkajs-consumer.ts'
import { KafkajsProducer } from './kafkajs-producer.ts'

/** Kafka by kafkajs. */
export function createKafkajsDriver(options: KafkajsConsumerOptions & KafkajsAdminOptions): Driver {
  return {
    admin: new KafkajsAdmin(options),
    producer: (after) => new KafkajsProducer(options, after),
    consumer: (consumer) => new KafkajsConsumer(options, consumer),
  }
}
