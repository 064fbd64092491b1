import { fileURLToPath } from 'node:url'
import { type Contracts, folderFiles, type PushRegistry, pushSchemas, readContracts } from '@evtkit/sdk/contracts'

/** The contracts of the shop as files. */
export const schemasFolder = fileURLToPath(new URL('../../../schemas', import.meta.url))

export function readShopContracts(): Promise<Contracts> {
  return readContracts(folderFiles(schemasFolder))
}

/**
 * Registers all schemas of the shop, as CI does with `evt schema push`. Resolves with how many there are.
 *
 * @throws Error that names what the registry refused, and why.
 */
export async function registerShopSchemas(registry: PushRegistry): Promise<number> {
  // Records are read for years, so a new schema must read every earlier one and not only the last.
  const pushed = await pushSchemas({
    contracts: await readShopContracts(),
    registry,
    compatibility: 'BACKWARD_TRANSITIVE',
  })
  const refused = pushed.schemas.filter(({ state }) => state === 'refused')
  if (refused.length > 0)
    throw new Error(
      `the registry refused ${refused.map(({ subject, reasons }) => `${subject} (${reasons.join('; ') || 'no reason given'})`).join(', ')}`,
    )
  return pushed.schemas.length
}
