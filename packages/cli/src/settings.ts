import type { Secret } from './secret.ts'

/** What the options, the environment (`EVT_*`), the context and the config file say together. */
export interface Settings {
  /** Folder that relative paths start from: where the config file is, or the working directory. */
  readonly root: string
  /** The config file, absolute; `undefined` when there is none. */
  readonly configFile: string | undefined
  /** The context in use; `undefined` when there is none. */
  readonly context: string | undefined
  /** The folder of the contracts, absolute. @default 'schemas' */
  readonly schemas: string
  /** Where `evt generate` writes, absolute; `undefined` when not said. */
  readonly generated: string | undefined
  readonly brokers: readonly string[] | undefined
  readonly kafka: KafkaSettings
  readonly registryUrl: string | undefined
  readonly registryAuth: RegistryAuth | undefined
  /** File of the certificates to trust, absolute; `undefined` for those of the computer. */
  readonly registryCa: string | undefined
  readonly databaseUrl: string | undefined
}

/** How brokers are spoken to. */
export interface KafkaSettings {
  /** @default false */
  readonly ssl: boolean
  /** File of the certificates to trust, absolute; `undefined` for those of the computer. */
  readonly ca: string | undefined
  /** Files of the certificate and key that this client shows, absolute. */
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly sasl:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
        readonly username: string
        readonly password: Secret
      }
    | undefined
}

/** How this client proves to the registry who it is. */
export type RegistryAuth = { readonly username: string; readonly password: Secret } | { readonly token: Secret }

/** One key of the config file. The same table makes the validation, the environment variables and `docs/cli.md`. */
export interface SettingKey {
  /** Dotted path in the file. */
  readonly key: string
  readonly kind: 'text' | 'list' | 'path' | 'flag' | 'mechanism'
  /** The variable that overrides it. */
  readonly env: string
  /** A variable that many tools read, used when nothing else says anything. */
  readonly fallbackEnv?: string
  readonly says: string
  /** A secret may also be given as `<key>Env`, the name of an environment variable that holds it. */
  readonly secret?: boolean
}

export const settingKeys = [
  { key: 'schemas', kind: 'path', env: 'EVT_SCHEMAS', says: 'Folder of the contracts. Default: schemas' },
  { key: 'generated', kind: 'path', env: 'EVT_GENERATED', says: 'Folder that evt generate writes to' },
  {
    key: 'brokers',
    kind: 'list',
    env: 'EVT_BROKERS',
    fallbackEnv: 'KAFKA_BROKERS',
    says: 'Kafka brokers, host:port each: a list, or text separated by commas',
  },
  { key: 'kafka.ssl', kind: 'flag', env: 'EVT_KAFKA_SSL', says: 'Whether brokers are spoken to by TLS' },
  { key: 'kafka.ca', kind: 'path', env: 'EVT_KAFKA_CA', says: 'File of the certificates to trust, PEM' },
  { key: 'kafka.cert', kind: 'path', env: 'EVT_KAFKA_CERT', says: 'File of the certificate to show, PEM' },
  { key: 'kafka.key', kind: 'path', env: 'EVT_KAFKA_KEY', says: 'File of the key of that certificate, PEM' },
  {
    key: 'kafka.sasl.mechanism',
    kind: 'mechanism',
    env: 'EVT_KAFKA_SASL_MECHANISM',
    says: 'plain, scram-sha-256 or scram-sha-512. Default, where there is a username: plain',
  },
  { key: 'kafka.sasl.username', kind: 'text', env: 'EVT_KAFKA_SASL_USERNAME', says: 'User for SASL' },
  {
    key: 'kafka.sasl.password',
    kind: 'text',
    env: 'EVT_KAFKA_SASL_PASSWORD',
    secret: true,
    says: 'Password for SASL; better kafka.sasl.passwordEnv, the name of the variable that holds it',
  },
  {
    key: 'registry.url',
    kind: 'text',
    env: 'EVT_REGISTRY',
    fallbackEnv: 'SCHEMA_REGISTRY_URL',
    says: 'URL of the schema registry; "registry" may also be that URL itself',
  },
  { key: 'registry.username', kind: 'text', env: 'EVT_REGISTRY_USERNAME', says: 'User for the registry' },
  {
    key: 'registry.password',
    kind: 'text',
    env: 'EVT_REGISTRY_PASSWORD',
    secret: true,
    says: 'Password for the registry; better registry.passwordEnv',
  },
  {
    key: 'registry.token',
    kind: 'text',
    env: 'EVT_REGISTRY_TOKEN',
    secret: true,
    says: 'Bearer token for the registry, in place of user and password; better registry.tokenEnv',
  },
  { key: 'registry.ca', kind: 'path', env: 'EVT_REGISTRY_CA', says: 'File of the certificates to trust, PEM' },
  {
    key: 'database.url',
    kind: 'text',
    env: 'EVT_DATABASE',
    fallbackEnv: 'DATABASE_URL',
    secret: true,
    says: 'URL of the PostgreSQL database; "database" may also be that URL itself; better database.urlEnv',
  },
] as const satisfies readonly SettingKey[]

export type SettingName = (typeof settingKeys)[number]['key']

/** Keys whose object may be written as the text of its `url`. */
export const shorthands = ['registry', 'database'] as const
