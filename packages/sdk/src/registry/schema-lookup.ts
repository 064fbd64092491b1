/** A schema as the registry has it. */
export interface RegisteredSchema {
  /** Written into records as four bytes. */
  readonly id: number
  /** The JSON document, parsed and standing by itself: what it referred to is already in it. */
  readonly document: unknown
}

/**
 * Finds schemas in a registry: all that encoding and decoding need of one. What was found is remembered, calls for the same
 * thing at the same time share one request, and ids that are not there are remembered too, for a while.
 */
export interface SchemaLookup {
  /**
   * The schema with this id.
   *
   * @throws UnknownSchemaError when the registry does not have it.
   * @throws RegistryUnavailableError when it cannot be asked.
   */
  byId(id: number): Promise<RegisteredSchema>
  /**
   * The schema with this GUID (`8-4-4-4-12` hexadecimal digits). Not every registry knows GUIDs.
   *
   * @throws UnknownSchemaError when the registry does not have it.
   * @throws RegistryUnavailableError when it cannot be asked.
   */
  byGuid(guid: string): Promise<RegisteredSchema>
  /**
   * The id under which a subject has exactly this schema. Never registers it.
   *
   * @throws SchemaNotRegisteredError when the subject does not have it.
   * @throws RegistryUnavailableError when it cannot be asked.
   */
  idOf(subject: string, document: unknown): Promise<number>
}
