import { faults } from './registry-fault.ts'
import {
  clearCompatibility,
  clearMode,
  compatibilityInForce,
  modeInForce,
  setCompatibility,
  setMode,
} from './registry-settings.ts'
import { changes, type Route, reads } from './route.ts'

/** Levels of compatibility and modes. */
export const settingsRoutes: readonly Route[] = [
  reads('GET', 'config', async ({ records, fallback }) => ({
    compatibilityLevel: await compatibilityInForce(records, undefined, fallback),
  })),
  changes('PUT', 'config', ({ records, body }) => setCompatibility(records, undefined, body)),
  changes('DELETE', 'config', ({ records, fallback }) => clearCompatibility(records, undefined, fallback)),
  reads('GET', 'config/*', async ({ records, names: [subject], fallback, on }) => {
    const { compatibility } = await records.settings(subject)
    if (compatibility === undefined && !on('defaultToGlobal')) throw faults.noCompatibility(subject)
    return { compatibilityLevel: await compatibilityInForce(records, subject, fallback) }
  }),
  changes('PUT', 'config/*', ({ records, names: [subject], body }) => setCompatibility(records, subject, body)),
  changes('DELETE', 'config/*', ({ records, names: [subject], fallback }) =>
    clearCompatibility(records, subject, fallback),
  ),
  reads('GET', 'mode', async ({ records }) => ({ mode: await modeInForce(records, undefined) })),
  changes('PUT', 'mode', ({ records, body, on }) => setMode(records, undefined, body, on('force'))),
  changes('DELETE', 'mode', ({ records }) => clearMode(records, undefined)),
  reads('GET', 'mode/*', async ({ records, names: [subject], on }) => {
    const { mode } = await records.settings(subject)
    if (mode === undefined && !on('defaultToGlobal')) throw faults.noMode(subject)
    return { mode: await modeInForce(records, subject) }
  }),
  changes('PUT', 'mode/*', ({ records, names: [subject], body, on }) => setMode(records, subject, body, on('force'))),
  changes('DELETE', 'mode/*', ({ records, names: [subject] }) => clearMode(records, subject)),
]
