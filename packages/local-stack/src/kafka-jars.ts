import { type FetchJarsOptions, fetchJars } from './maven-jars.ts'

/** The Apache Kafka that is run when no other is named. */
export const KAFKA_VERSION = '4.3.1'

/**
 * The folder with the jar files of Apache Kafka, fetched once on a computer.
 *
 * @throws LocalStackError `MAVEN_MISSING` that says what to install, `KAFKA_DOWNLOAD_FAILED` with what Maven said.
 */
export function fetchKafkaJars(options: FetchJarsOptions = {}): Promise<string> {
  return fetchJars(
    {
      title: `Apache Kafka ${KAFKA_VERSION}`,
      folder: `kafka-${KAFKA_VERSION}`,
      artifacts: [
        `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
        `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
        'org.slf4j:slf4j-simple:1.7.36',
      ],
      size: '92 files, 54 MB',
      otherwise: 'or start Docker, or set KAFKA_BROKERS to a running Kafka',
      failure: 'KAFKA_DOWNLOAD_FAILED',
    },
    options,
  )
}
