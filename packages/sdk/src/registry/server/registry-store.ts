import type { CompatibilityMode } from '../../avro/compatibility-mode.ts'
import type { RegistryMode, SchemaReference } from '../registry-answers.ts'

/** A schema, kept once however many subjects have it. */
export interface StoredSchema {
  readonly id: number
  /** Derived from the schema and its references, so the same schema has the same one everywhere. */
  readonly guid: string
  /** The text of the JSON document. */
  readonly schema: string
  readonly references: readonly SchemaReference[]
}

/** A schema as a version of a subject. */
export interface StoredVersion {
  readonly subject: string
  readonly version: number
  readonly schemaId: number
  /** Whether it is hidden: no longer found by subject, still found by id. */
  readonly deleted: boolean
}

/** What a subject, or the whole registry, is set to. */
export interface RegistrySettings {
  readonly compatibility?: CompatibilityMode
  readonly mode?: RegistryMode
}

/** What is kept, as one reader or writer sees it. */
export interface RegistryRecords {
  schema(id: number): Promise<StoredSchema | undefined>
  schemaByGuid(guid: string): Promise<StoredSchema | undefined>
  /** With an id that no schema ever had, also none that was removed; an id that is given is used. */
  addSchema(schema: Omit<StoredSchema, 'id'>, id?: number): Promise<StoredSchema>
  removeSchema(id: number): Promise<void>
  /** Versions of all subjects whose name begins with a prefix, hidden ones too, by subject and number. */
  allVersions(prefix: string): Promise<readonly StoredVersion[]>
  /** Hidden ones too, ascending. */
  versions(subject: string): Promise<readonly StoredVersion[]>
  /** Hidden ones too. */
  versionsOfSchema(id: number): Promise<readonly StoredVersion[]>
  /** Versions, hidden ones too, whose schema refers to this version. */
  referrers(subject: string, version: number): Promise<readonly StoredVersion[]>
  /** Adds a version or changes whether it is hidden. */
  putVersion(version: StoredVersion): Promise<void>
  removeVersion(subject: string, version: number): Promise<void>
  /** Of a subject, or of the whole registry; empty when nothing was set. */
  settings(subject: string | undefined): Promise<RegistrySettings>
  putSettings(subject: string | undefined, settings: RegistrySettings): Promise<void>
}

/** Where a schema registry keeps what it knows. */
export interface RegistryStore {
  /** Runs `work` on one state of the records. */
  read<T>(work: (records: RegistryRecords) => Promise<T>): Promise<T>
  /** Runs `work` while nobody else changes anything, on any server over the same records. It throws before it writes, or not at all. */
  change<T>(work: (records: RegistryRecords) => Promise<T>): Promise<T>
}
