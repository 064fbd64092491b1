/** One real Kafka and one real PostgreSQL for the whole run, started unless the environment names them; tells the tests where they are. */
import { provideKafka, providePostgres } from '@evtkit/local-stack'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port`, separated by commas. */
    kafkaBrokers: string
    /** Superuser URL of an empty server; make a database of your own for each file. */
    databaseUrl: string
  }
}

let stopAll: () => Promise<unknown> = () => Promise.resolve()

export async function setup(project: TestProject) {
  const [kafka, postgres] = await Promise.all([provideKafka({}), providePostgres({})])
  stopAll = () => Promise.all([kafka.stop(), postgres.stop()])
  project.provide('kafkaBrokers', kafka.brokers.join(','))
  project.provide('databaseUrl', postgres.url)
}

export async function teardown() {
  await stopAll()
}
