import { z } from 'zod'
import type { Fetch } from '../platform/fetch.ts'
import type { PartName } from '../platform/service.ts'

const Stats = z.object({ duplicates: z.int() })

const services: readonly PartName[] = ['orders', 'inventory', 'payments', 'shipping', 'notifications']

/** How many deliveries the services' inboxes have recognised as repeated, each since its start. One that is away counts none. */
export async function readDuplicates(fetchFrom: (part: PartName) => Fetch): Promise<number> {
  let sum = 0
  for (const service of services) {
    const answer = await fetchFrom(service)('/stats', { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    if (answer?.ok) sum += Stats.parse(await answer.json()).duplicates
  }
  return sum
}
