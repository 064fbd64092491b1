/** Levels of compatibility and modes, of subjects and of the whole registry. */
import { type CompatibilityMode, compatibilityModes } from '../../avro/compatibility-mode.ts'
import { isJsonObject, type RegistryMode, registryModes } from '../registry-answers.ts'
import { faults } from './registry-fault.ts'
import type { RegistryRecords } from './registry-store.ts'

export async function compatibilityInForce(
  records: RegistryRecords,
  subject: string | undefined,
  fallback: CompatibilityMode,
): Promise<CompatibilityMode> {
  const own = subject === undefined ? undefined : (await records.settings(subject)).compatibility
  return own ?? (await records.settings(undefined)).compatibility ?? fallback
}

export async function modeInForce(records: RegistryRecords, subject: string | undefined): Promise<RegistryMode> {
  const whole = (await records.settings(undefined)).mode ?? 'READWRITE'
  if (whole === 'READONLY_OVERRIDE' || subject === undefined) return whole
  return (await records.settings(subject)).mode ?? whole
}

/** @throws RegistryFault 42205 when the mode lets nothing be changed. */
export async function mustBeWritable(records: RegistryRecords, subject: string | undefined): Promise<void> {
  const mode = await modeInForce(records, subject)
  if (mode === 'READONLY' || mode === 'READONLY_OVERRIDE')
    throw faults.notPermitted(`${subject === undefined ? 'The registry' : `Subject ${subject}`} is in read-only mode`)
}

/** @throws RegistryFault 42205 unless the mode lets a schema be registered, with an id of its own or without. */
export async function mustTakeSchemas(records: RegistryRecords, subject: string, imported: boolean): Promise<void> {
  await mustBeWritable(records, subject)
  const mode = await modeInForce(records, subject)
  if (imported && mode !== 'IMPORT') throw faults.notPermitted(`Subject ${subject} is not in import mode`)
  if (!imported && mode === 'IMPORT') throw faults.notPermitted(`Subject ${subject} is not in read-write mode`)
}

export async function setCompatibility(
  records: RegistryRecords,
  subject: string | undefined,
  body: unknown,
): Promise<unknown> {
  const { compatibility: wanted } = isJsonObject(body) ? body : {}
  const compatibility = compatibilityModes.find((mode) => mode === wanted)
  if (compatibility === undefined) throw faults.invalidCompatibility(compatibilityModes)
  await mustBeWritable(records, subject)
  await records.putSettings(subject, { ...(await records.settings(subject)), compatibility })
  return { compatibility }
}

export async function clearCompatibility(
  records: RegistryRecords,
  subject: string | undefined,
  fallback: CompatibilityMode,
): Promise<unknown> {
  const { compatibility, ...others } = await records.settings(subject)
  if (compatibility === undefined && subject !== undefined) throw faults.subjectNotFound(subject)
  await mustBeWritable(records, subject)
  await records.putSettings(subject, others)
  return { compatibilityLevel: compatibility ?? fallback }
}

export async function setMode(
  records: RegistryRecords,
  subject: string | undefined,
  body: unknown,
  force: boolean,
): Promise<unknown> {
  const { mode: wanted } = isJsonObject(body) ? body : {}
  const mode = registryModes.find((known) => known === wanted)
  if (mode === undefined) throw faults.invalidMode(registryModes)
  // Ids that are brought along must not meet ids that were given out here.
  if (mode === 'IMPORT' && !force && (await modeInForce(records, subject)) !== 'IMPORT') {
    const there = subject === undefined ? await records.allVersions('') : await records.versions(subject)
    if (there.some(({ deleted }) => !deleted)) throw faults.notPermitted('Cannot import since found existing subjects')
  }
  await records.putSettings(subject, { ...(await records.settings(subject)), mode })
  return { mode }
}

export async function clearMode(records: RegistryRecords, subject: string | undefined): Promise<unknown> {
  const { mode, ...others } = await records.settings(subject)
  if (mode === undefined && subject !== undefined) throw faults.subjectNotFound(subject)
  await records.putSettings(subject, others)
  return { mode: mode ?? 'READWRITE' }
}
