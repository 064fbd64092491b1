/** Finds what is done at a path of the API. */
import type { CompatibilityMode } from '../../avro/compatibility-mode.ts'
import type { RegistryAnswer, RegistryRequest } from '../registry-exchange.ts'
import { faults } from './registry-fault.ts'
import type { RegistryStore } from './registry-store.ts'
import { settingsRoutes } from './settings-routes.ts'
import { subjectRoutes } from './subject-routes.ts'

export interface RouteSetting {
  readonly store: RegistryStore
  /** The level in force where none was set. */
  readonly compatibility: CompatibilityMode
}

const routes = [...subjectRoutes, ...settingsRoutes].map((route) => ({
  ...route,
  parts: route.path === '' ? [] : route.path.split('/'),
}))

/** @throws RegistryFault for whatever the API refuses. */
export async function answerFor(
  request: RegistryRequest,
  { store, compatibility }: RouteSetting,
): Promise<RegistryAnswer> {
  const here = routes.filter(({ parts }) => matches(parts, request.path))
  const route = here.find(({ method }) => method === request.method)
  if (route === undefined) throw here.length > 0 ? faults.unknownMethod() : faults.unknownPath()
  const [first = '', second = ''] = request.path.filter((_, i) => route.parts[i] === '*')
  const query = request.query ?? {}
  const body = await store[route.work]((records) =>
    route.answer({
      records,
      names: [first, second],
      body: request.body,
      fallback: compatibility,
      on: (name) => String(query[name] ?? false).toLowerCase() === 'true',
      text: (name) => (typeof query[name] === 'string' ? query[name] : ''),
    }),
  )
  return { status: 200, body }
}

function matches(parts: readonly string[], path: readonly string[]): boolean {
  return parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i])
}
