import type { AvroRecord, AvroSchema } from '../avro/avro-schema.ts'
import { describeType } from '../avro/compatibility-message.ts'
import { envelopeRecord } from '../registry/envelope-record.ts'
import { about, type ContractFinding } from './contract-finding.ts'
import type { ConsumerContract, EventContract } from './contracts.ts'
import type { DataVersion } from './earlier-contracts.ts'

/**
 * Changes that Avro lets pass and that people should not: a number that counts another unit, a symbol that is read as another
 * one, a field that is personal and no longer said to be.
 */
export function meaningChanges(
  event: EventContract,
  last: DataVersion | undefined,
  consumers: readonly ConsumerContract[],
): ContractFinding[] {
  if (last === undefined) return []
  const found: ContractFinding[] = []
  const add = (finding: Pick<ContractFinding, 'severity' | 'kind' | 'path' | 'message' | 'advice'>) =>
    found.push({ ...about(event, consumers), ...finding, against: [last.name] })
  walk(envelopeRecord(event.data), last.schema, {
    type(path, now, before) {
      if (now.kind === 'enum' && before.kind === 'enum') {
        const gone = before.symbols.filter((symbol) => !now.symbols.includes(symbol))
        // Without a default old data fails, which is a break.
        if (gone.length > 0 && now.default !== undefined)
          add({
            severity: 'warning',
            kind: 'symbol-removed',
            path,
            message: `${gone.join(', ')} is gone from ${now.name}: where ${last.name} or an older one has written it, readers see ${now.default} from now on.`,
            advice: [
              `Keep ${gone.join(', ')} in ${now.name}: what was written stays written. Say in its doc that nobody writes it any more.`,
              `Or deploy what publishes ${event.type} first, so that nobody writes it, and the readers only once no record that has it is kept.`,
            ],
          })
      }
      const unit = unitChange(now, before)
      if (unit !== undefined)
        add({
          severity: unit,
          kind: 'meaning-changed',
          path,
          message: `${last.name} writes ${describeType(before)}${digits(before)}, and the new schema takes the same bytes for ${describeType(now)}${digits(now)}: old data is read without an error, and ${unit === 'break' ? 'wrongly' : 'as something else'}.`,
          advice: [
            `Keep the logical type of "${path}", and put the new kind of value into a new field with a default.`,
          ],
        })
    },
    field(path, now, before) {
      if (before.pii === true && now.pii !== true)
        add({
          severity: 'warning',
          kind: 'pii-unmarked',
          path,
          message: `the mark "pii": true is gone: what ${last.name} and older ones wrote there is personal, and would no longer be treated so.`,
          advice: [`Keep "pii": true on "${path}" unless the field never held anything personal.`],
        })
    },
  })
  return found
}

/** Another count of the same thing reads wrongly; with or without a logical type, it is a question of what was meant. */
function unitChange(now: AvroSchema, before: AvroSchema): ContractFinding['severity'] | undefined {
  if (!('logicalType' in now || 'logicalType' in before)) return undefined
  const [one, other] = [logical(now), logical(before)]
  if (one.logicalType !== other.logicalType)
    return one.logicalType === undefined || other.logicalType === undefined ? 'warning' : 'break'
  return one.logicalType === 'decimal' && (one.scale ?? 0) !== (other.scale ?? 0) ? 'break' : undefined
}

function logical(schema: AvroSchema): { readonly logicalType?: string; readonly scale?: number } {
  return 'logicalType' in schema ? schema : {}
}

function digits(schema: AvroSchema): string {
  const { logicalType, scale } = logical(schema)
  return logicalType === 'decimal' ? ` with ${scale ?? 0} digits after the point` : ''
}

interface Visitor {
  type(path: string, now: AvroSchema, before: AvroSchema): void
  field(
    path: string,
    now: AvroRecord['fields'][number]['attributes'],
    before: AvroRecord['fields'][number]['attributes'],
  ): void
}

/** Visits what both have, each pair of types once. */
function walk(now: AvroSchema, before: AvroSchema, visitor: Visitor): void {
  const seen = new Map<AvroSchema, Set<AvroSchema>>()
  const visit = (one: AvroSchema, other: AvroSchema, path: string): void => {
    if (one.kind === 'union' || other.kind === 'union') {
      const others = other.kind === 'union' ? other.branches : [other]
      for (const branch of one.kind === 'union' ? one.branches : [one]) {
        const same = others.find((candidate) => isSame(branch, candidate))
        if (same !== undefined) visit(branch, same, path)
      }
      return
    }
    if (one.kind !== other.kind) return
    const before = seen.get(one) ?? new Set()
    if (before.has(other)) return
    seen.set(one, before.add(other))
    visitor.type(path, one, other)
    if (one.kind === 'array' && other.kind === 'array') visit(one.items, other.items, `${path}[]`)
    if (one.kind === 'map' && other.kind === 'map') visit(one.values, other.values, `${path}{}`)
    if (one.kind !== 'record' || other.kind !== 'record') return
    for (const field of one.fields) {
      const former = other.fields.find(({ name }) => name === field.name || field.aliases.includes(name))
      if (former === undefined) continue
      const inside = path === '' ? field.name : `${path}.${field.name}`
      visitor.field(inside, field.attributes, former.attributes)
      visit(field.type, former.type, inside)
    }
  }
  visit(now, before, '')
}

function isSame(one: AvroSchema, other: AvroSchema): boolean {
  return one.kind === other.kind && (!('name' in one) || !('name' in other) || one.name === other.name)
}
