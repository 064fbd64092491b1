import type { RegistryRecords, RegistrySettings, RegistryStore, StoredSchema, StoredVersion } from './registry-store.ts'

/** Keeps schemas in this process, for as long as it lives. */
export function createMemoryRegistryStore(): RegistryStore {
  const records = new MemoryRecords()
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: (records: RegistryRecords) => Promise<T>): Promise<T> => {
    const turn = last.then(() => work(records))
    last = turn.catch(() => {})
    return turn
  }
  return { read: inTurn, change: inTurn }
}

class MemoryRecords implements RegistryRecords {
  readonly #schemas = new Map<number, StoredSchema>()
  readonly #byGuid = new Map<string, StoredSchema>()
  readonly #subjects = new Map<string, Map<number, StoredVersion>>()
  readonly #settings = new Map<string | undefined, RegistrySettings>()
  #lastId = 0

  async schema(id: number) {
    return this.#schemas.get(id)
  }

  async schemaByGuid(guid: string) {
    return this.#byGuid.get(guid)
  }

  async addSchema(schema: Omit<StoredSchema, 'id'>, id = this.#lastId + 1) {
    const stored = { ...schema, id }
    this.#lastId = Math.max(this.#lastId, id)
    this.#schemas.set(id, stored)
    this.#byGuid.set(stored.guid, stored)
    return stored
  }

  async removeSchema(id: number) {
    this.#byGuid.delete(this.#schemas.get(id)?.guid ?? '')
    this.#schemas.delete(id)
  }

  async allVersions(prefix: string) {
    return [...this.#subjects.keys()]
      .filter((subject) => subject.startsWith(prefix))
      .sort()
      .flatMap((subject) => this.#versions(subject))
  }

  async versions(subject: string) {
    return this.#versions(subject)
  }

  async versionsOfSchema(id: number) {
    return (await this.allVersions('')).filter(({ schemaId }) => schemaId === id)
  }

  async referrers(subject: string, version: number) {
    return (await this.allVersions('')).filter(({ schemaId }) =>
      this.#schemas
        .get(schemaId)
        ?.references.some((reference) => reference.subject === subject && reference.version === version),
    )
  }

  async putVersion(version: StoredVersion) {
    const versions = this.#subjects.get(version.subject) ?? new Map<number, StoredVersion>()
    versions.set(version.version, version)
    this.#subjects.set(version.subject, versions)
  }

  async removeVersion(subject: string, version: number) {
    const versions = this.#subjects.get(subject)
    versions?.delete(version)
    if (versions?.size === 0) this.#subjects.delete(subject)
  }

  async settings(subject: string | undefined) {
    return this.#settings.get(subject) ?? {}
  }

  async putSettings(subject: string | undefined, settings: RegistrySettings) {
    this.#settings.set(subject, settings)
  }

  #versions(subject: string): StoredVersion[] {
    return [...(this.#subjects.get(subject)?.values() ?? [])].sort((a, b) => a.version - b.version)
  }
}
