/** Apache Kafka as a transport. */
export type { KafkaOptions, KafkaSasl } from './kafka-options.ts'
export { createKafka, type KafkaTransport } from './kafka-transport.ts'
