import { z } from 'zod'

const Port = z.coerce.number().int().min(0).max(65_535)
const Milliseconds = z.coerce.number().int().positive()

/** What may be set from outside, each with its environment variable. */
const Environment = z.object({
  /** HTTP port; 0 for a free one. */
  PORT: Port.default(0),
  /** The mail sink's SMTP port; 0 for a free one. */
  SMTP_PORT: Port.default(0),
  /** Where notifications hands over its mails; without it, to the mail sink over HTTP. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  /** Longest wait for the payment provider before the charge is asked for again under the same key. */
  SHOP_PAYMENT_TIMEOUT_MS: Milliseconds.default(2000),
  /** How long after a charge that was left open the provider is asked what became of it. */
  SHOP_PAYMENT_RECHECK_MS: Milliseconds.default(2000),
  /** File in which the sandbox provider keeps its ledger across restarts; none keeps it in memory. */
  SHOP_LEDGER_FILE: z.string().min(1).optional(),
  /** File in which the mail sink keeps its mails across restarts; none keeps them in memory. */
  SHOP_MAIL_FILE: z.string().min(1).optional(),
  KAFKA_BROKERS: z.string().min(1).optional(),
  /** What facts are written as; both are read, Avro only where there is a registry. */
  SHOP_CODEC: z.enum(['json', 'avro']).default('json'),
  SCHEMA_REGISTRY_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** How long a killed process keeps its partitions before the next one gets them; short for people who watch. */
  SHOP_SESSION_TIMEOUT_MS: Milliseconds.default(30_000),
  SHOP_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
})

export interface Settings {
  readonly port: number
  /** None where mails come over HTTP alone. */
  readonly smtpPort: number | undefined
  readonly smtpUrl: string | undefined
  readonly paymentTimeoutMs: number
  readonly paymentRecheckMs: number
  readonly ledgerFile: string | undefined
  readonly mailFile: string | undefined
  readonly kafkaBrokers: readonly string[] | undefined
  readonly codec: 'json' | 'avro'
  readonly registryUrl: string | undefined
  readonly sessionTimeoutMs: number
  readonly databaseUrl: string | undefined
}

/**
 * Reads the settings from the environment.
 *
 * @throws Error which names each variable that is wrong.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  // Set to nothing is how shells and compose files leave a variable out.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const read = Environment.safeParse(given)
  if (!read.success)
    throw new Error(
      `the environment is not usable: ${read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
    )
  const { data } = read
  return {
    port: data.PORT,
    smtpPort: data.SMTP_PORT,
    smtpUrl: data.SMTP_URL,
    paymentTimeoutMs: data.SHOP_PAYMENT_TIMEOUT_MS,
    paymentRecheckMs: data.SHOP_PAYMENT_RECHECK_MS,
    ledgerFile: data.SHOP_LEDGER_FILE,
    mailFile: data.SHOP_MAIL_FILE,
    kafkaBrokers: data.KAFKA_BROKERS?.split(',').map((broker) => broker.trim()),
    codec: data.SHOP_CODEC,
    registryUrl: data.SCHEMA_REGISTRY_URL,
    sessionTimeoutMs: data.SHOP_SESSION_TIMEOUT_MS,
    databaseUrl: data.SHOP_DATABASE_URL,
  }
}
