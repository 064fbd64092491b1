import { createHash, randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import type { ComposeService } from './docker-compose.ts'

/**
 * The project name under which a service runs: always the same for a data folder, so that it is found again, and of its
 * own otherwise. A project for each service, because Docker Compose must not be run twice at once on the same one.
 */
export function composeProject(service: ComposeService, dataDir?: string): string {
  const seed = dataDir === undefined ? randomUUID() : resolve(dataDir)
  return `evtkit-${service.name}-${createHash('sha256').update(seed).digest('hex').slice(0, 10)}`
}
