import { parseAvroSchema } from '../avro/parse-avro-schema.ts'
import { envelopeRecord, subjectOf } from '../registry/envelope-record.ts'
import type { RegistryClient } from '../registry/registry-client.ts'
import type { Contracts, EventContract } from './contracts.ts'
import { type DataVersion, type EarlierContracts, eventKey } from './earlier-contracts.ts'
import { severalAtOnce } from './several-at-once.ts'

/** The part of a registry that is read. */
export type RegistryVersions = Pick<RegistryClient, 'place' | 'versions' | 'version'>

/** Every version that a registry has of each event of these contracts, by the subject of its topic and record. */
export async function earlierInRegistry(contracts: Contracts, registry: RegistryVersions): Promise<EarlierContracts> {
  const versions = await severalAtOnce(
    contracts.events,
    async (event) => [eventKey(event), await versionsInRegistry(event, registry)] as const,
  )
  return {
    name: `registry ${registry.place}`,
    events: undefined,
    consumers: [],
    versions: new Map(versions),
    notes: [],
  }
}

/** What a subject has, oldest first; none when it is not there. */
export async function versionsInRegistry(event: EventContract, registry: RegistryVersions): Promise<DataVersion[]> {
  const subject = subjectOf(event.topic.name, envelopeRecord(event.data))
  const found: DataVersion[] = []
  for (const number of await registry.versions(subject)) {
    const one = await registry.version(subject, number)
    if (one === undefined || one.schemaType !== 'AVRO') continue
    const schema = parseAvroSchema(one.document, { title: `${subject} version ${number}` })
    if (schema.kind === 'record') found.push({ name: `version ${number}`, schema })
  }
  return found
}
