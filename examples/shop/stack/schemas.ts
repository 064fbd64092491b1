import type { Logger } from '@evtkit/sdk'
import { createRegistryClient } from '@evtkit/sdk/registry'
import { registerShopSchemas } from '../platform/shop-schemas.ts'
import { openWire, type Wire } from '../platform/wire.ts'
import type { Stack } from './stack.ts'
import { StackError } from './stack-error.ts'

/** Registers the schemas of the shop, as CI does with `evt schema push`. */
export async function registerSchemas(stack: Stack): Promise<void> {
  const url = stack.state.state.registry?.address ?? ''
  const client = createRegistryClient({ url })
  try {
    const count = await registerShopSchemas(client)
    stack.progress(`The ${count} schemas are registered.`)
  } catch (cause) {
    throw new StackError(
      `The schemas could not be registered at ${client.place}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  } finally {
    await client.close()
  }
}

/** What the parts of the stack write with. */
export function openStackWire({ state }: Stack, logger: Logger): Wire {
  const { codec = 'json', registry } = state.state
  return openWire({ codec, registryUrl: registry?.address }, logger)
}
