import type { CompatibilityMode } from '../../avro/compatibility-mode.ts'
import type { RegistryRequest } from '../registry-exchange.ts'
import type { RegistryRecords } from './registry-store.ts'

/** One request as the work at its path sees it. */
export interface Call {
  readonly records: RegistryRecords
  /** What stands in the path where the route has a `*`. */
  readonly names: readonly [string, string]
  readonly body: unknown
  /** The level of compatibility where none was set. */
  readonly fallback: CompatibilityMode
  /** Whether a switch of the query is on. */
  on(name: string): boolean
  text(name: string): string
}

/** One method at one path of the API. */
export interface Route {
  readonly method: RegistryRequest['method']
  // Parts between slashes, with a `*` for each name.
  readonly path: string
  readonly work: 'read' | 'change'
  readonly answer: (call: Call) => Promise<unknown>
}

/** A route that changes nothing. */
export function reads(method: 'GET' | 'POST', path: string, answer: Route['answer']): Route {
  return { method, path, work: 'read', answer }
}

/** A route whose work is done while nobody else changes anything. */
export function changes(method: 'POST' | 'PUT' | 'DELETE', path: string, answer: Route['answer']): Route {
  return { method, path, work: 'change', answer }
}
