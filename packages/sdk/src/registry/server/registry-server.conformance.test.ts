/** The registry with its schemas in memory keeps all that Confluent's documentation says. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { describeRegistry, registryConformance } from '../../testing/index.ts'
import { createRegistryServer } from './registry-server.ts'

const server = createRegistryServer()
beforeAll(() => server.start())
afterAll(() => server.close())

describeRegistry({ describe, test }, 'the registry in memory', registryConformance, {
  url: () => server.url,
  deviations: {},
})
