/** Starts one real Kafka and one real PostgreSQL for the whole run, and tells the tests where they are. */
import { startKafka, startPostgres } from '@evtkit/local-stack'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port`, separated by commas. */
    kafkaBrokers: string
    /** Superuser URL of an empty server; make a database of your own for each file. */
    databaseUrl: string
  }
}

export async function setup(project: TestProject) {
  const [kafka, postgres] = await Promise.all([startKafka({}), startPostgres({})])
  project.provide('kafkaBrokers', kafka.brokers.join(','))
  project.provide('databaseUrl', postgres.url)
  return async () => {
    await Promise.all([kafka.stop(), postgres.stop()])
  }
}
