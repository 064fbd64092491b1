import { silentLogger } from '@evtkit/sdk'
import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'
import { openWire } from './wire.ts'

test('JSON is what is written when nothing is said, and needs no registry', async () => {
  const { codec, registryUrl } = readSettings({ SHOP_CODEC: '', SCHEMA_REGISTRY_URL: '' })
  expect({ codec, registryUrl }).toEqual({ codec: 'json', registryUrl: undefined })
  await openWire({ codec, registryUrl }, silentLogger).close()
})

test('Avro without a registry is refused by the name of the variable', () => {
  const settings = readSettings({ SHOP_CODEC: 'avro' })
  expect(() => openWire(settings, silentLogger)).toThrow('SCHEMA_REGISTRY_URL is not set; SHOP_CODEC=avro needs it')
})

test('a codec that does not exist is refused', () => {
  expect(() => readSettings({ SHOP_CODEC: 'xml' })).toThrow('SHOP_CODEC')
})
