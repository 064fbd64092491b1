import { expect, test } from 'vitest'
import { loadSettings } from './load-settings.ts'
import { elsewhere } from './schema-base.ts'

test.each([
  ['https://registry.example/other', true],
  ['https://registry.example:8443/', false],
  ['http://registry.example/', false],
  ['https://elsewhere.example/', false],
])('the token of the registry goes along to %s: %j', async (url, goes) => {
  const env = { EVT_REGISTRY: 'https://registry.example/apis', EVT_REGISTRY_TOKEN: 'token' }
  const settings = elsewhere(await loadSettings({}, env, '/'), url)
  expect(settings.registryUrl).toBe(url)
  expect(settings.registryAuth !== undefined).toBe(goes)
})
