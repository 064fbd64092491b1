/** One real Kafka, PostgreSQL and schema registry for the whole run, started unless the environment names them; tells the tests where they are. */
import { provideKafka, providePostgres, provideRegistry } from '@evtkit/local-stack'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port`, separated by commas. */
    kafkaBrokers: string
    /** Superuser URL of an empty server; make a database of your own for each file. */
    databaseUrl: string
    /** Of a registry that speaks Confluent's API and that others use too: give subjects names of your own. */
    registryUrl: string
  }
}

let stopAll: () => Promise<unknown> = () => Promise.resolve()

export async function setup(project: TestProject) {
  const [kafka, postgres, registry] = await Promise.all([provideKafka({}), providePostgres({}), provideRegistry({})])
  stopAll = () => Promise.all([kafka.stop(), postgres.stop(), registry.stop()])
  project.provide('kafkaBrokers', kafka.brokers.join(','))
  project.provide('databaseUrl', postgres.url)
  project.provide('registryUrl', registry.url)
}

export async function teardown() {
  await stopAll()
}
