/** What the config file, the environment (`EVT_*`) and the options say together. */
export interface Settings {
  /** Folder that relative paths start from: where the config file is, or the working directory. */
  readonly root: string
  /** The folder of the contracts, absolute. @default 'schemas' */
  readonly schemas: string
  /** Where `evt generate` writes, absolute; `undefined` when not said. */
  readonly generated: string | undefined
  readonly brokers: readonly string[] | undefined
  readonly registryUrl: string | undefined
  readonly databaseUrl: string | undefined
}
