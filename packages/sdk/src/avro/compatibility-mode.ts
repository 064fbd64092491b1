import type { AvroSchema } from './avro-schema.ts'
import { checkCompatibility, type Incompatibility, rootCauses } from './compatibility.ts'
import { adviceFor } from './compatibility-advice.ts'
import { describeFailingData, describeIncompatibility } from './compatibility-message.ts'

export const compatibilityModes = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const
/**
 * Who must be able to read what. BACKWARD: readers with the new schema read old data. FORWARD: readers with the old schema read
 * new data. FULL: both. Transitive: every earlier version counts, not only the last.
 */
export type CompatibilityMode = (typeof compatibilityModes)[number]

/** One version of a schema in a row of versions. */
export interface SchemaVersion {
  /** What it is called in messages, such as `version 3` or `HEAD~4`. */
  readonly name: string
  readonly schema: AvroSchema
}

/** A way in which the next version of a schema would break somebody. */
export interface CompatibilityBreak {
  /** `backward`: readers with the next version fail on old data. `forward`: readers with an old version fail on new data. */
  readonly direction: 'backward' | 'forward'
  /** Names of the earlier versions it breaks with, oldest first. */
  readonly against: readonly string[]
  readonly kind: Incompatibility['kind']
  /** In the words of the reading side's schema. */
  readonly path: string
  /** What changed and which data fails, in one sentence. */
  readonly message: string
  /** Which data fails. */
  readonly fails: string
  /** How to make the change without breaking anybody, best way first; a new schema beside the old one is always another. */
  readonly advice: readonly string[]
  readonly incompatibility: Incompatibility
}

/**
 * What the next version of a schema would break, by the rules of a mode.
 *
 * @param versions.earlier oldest first; the modes that are not transitive look at the last only.
 */
export function checkVersions(versions: {
  readonly mode: CompatibilityMode
  readonly next: AvroSchema
  readonly earlier: readonly SchemaVersion[]
}): readonly CompatibilityBreak[] {
  const { mode, next, earlier } = versions
  const compared = mode.endsWith('_TRANSITIVE') ? earlier : earlier.slice(-1)
  const breaks = new Map<string, CompatibilityBreak>()
  for (const version of compared) {
    if (mode.startsWith('BACKWARD') || mode.startsWith('FULL'))
      collect(breaks, 'backward', version, checkCompatibility({ reader: next, writer: version.schema }))
    if (mode.startsWith('FORWARD') || mode.startsWith('FULL'))
      collect(breaks, 'forward', version, checkCompatibility({ reader: version.schema, writer: next }))
  }
  return [...breaks.values()].map(worded)
}

function collect(
  breaks: Map<string, CompatibilityBreak>,
  direction: CompatibilityBreak['direction'],
  version: SchemaVersion,
  findings: readonly Incompatibility[],
): void {
  for (const incompatibility of rootCauses(findings)) {
    // The message says all that makes two findings one: what is written, what is read, and on which data.
    const { kind, path, message } = incompatibility
    const key = JSON.stringify([direction, kind, path, message])
    const before = breaks.get(key)
    const against = [...(before?.against ?? []), version.name]
    breaks.set(key, { direction, against, kind, path, message, fails: '', advice: [], incompatibility })
  }
}

function worded(one: CompatibilityBreak): CompatibilityBreak {
  const old = list(one.against)
  const sides =
    one.direction === 'backward' ? { reader: 'the new schema', writer: old } : { reader: old, writer: 'the new schema' }
  return {
    ...one,
    message: describeIncompatibility(one.incompatibility, sides),
    fails: describeFailingData(one.incompatibility, sides),
    advice: adviceFor(one.incompatibility, one.direction),
  }
}

function list(names: readonly string[]): string {
  const last = names.at(-1) ?? 'the old schema'
  if (names.length <= 1) return last
  return names.length > 4
    ? `${names.length} versions (${names[0]} to ${last})`
    : `${names.slice(0, -1).join(', ')} and ${last}`
}
