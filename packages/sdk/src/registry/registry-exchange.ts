/** One request to a registry: as much of HTTP as its API uses. */
export interface RegistryRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** The parts of the path, not encoded: `['subjects', subject, 'versions']`. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string | boolean | undefined>>
  /** Sent as JSON. */
  readonly body?: unknown
}

/** What the registry answered, its refusals included. */
export interface RegistryAnswer {
  /** Of HTTP. */
  readonly status: number
  /** The parsed JSON. */
  readonly body: unknown
}

/** Carries requests to one registry and its answers back: over HTTP, or within the process. */
export interface RegistryExchange {
  /** Its address without credentials. */
  readonly place: string
  /** How it is called in messages: `the schema registry at …`. */
  readonly name: string
  /**
   * Resolves with what the registry itself answered, refusals (400 to 499) included.
   *
   * @throws RegistryUnavailableError when it cannot be reached, is too slow, or cannot serve.
   * @throws RegistryRefusedError when what answers is no registry.
   * @throws ClosedError after `close`.
   */
  exchange(request: RegistryRequest): Promise<RegistryAnswer>
  /** Ends what is under way. Twice is once. */
  close(): Promise<void>
}
