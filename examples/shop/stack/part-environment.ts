import { join } from 'node:path'
import { databaseName, isService, type PartName, partNames } from './part.ts'
import { StackError } from './stack-error.ts'
import type { StackFolder } from './stack-folder.ts'
import type { StackState } from './stack-state.ts'

/** Shorter than a production system would have it: whoever kills a service here wants to see it come back. */
const sessionTimeoutMs = 6_000

/** The environment variables that tell one part of the shop where it is and where the others are. */
export function partEnvironment(part: PartName, state: StackState, folder: StackFolder): Record<string, string> {
  const own = state.parts[part]
  const mail = state.parts['mail-sink']?.smtpPort
  if (own === undefined || mail === undefined || state.kafka === undefined || state.postgres === undefined) {
    throw new StackError(`The stack knows too little to start ${part}: run "npm run stack up" first.`)
  }
  return {
    PORT: String(own.port),
    KAFKA_BROKERS: state.kafka.address,
    SHOP_CODEC: state.codec ?? 'json',
    ...(state.registry && { SCHEMA_REGISTRY_URL: state.registry.address }),
    SHOP_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    SMTP_URL: `smtp://127.0.0.1:${mail}`,
    ...(part === 'mail-sink' && { SMTP_PORT: String(mail), SHOP_MAIL_FILE: join(folder.outside, 'mails') }),
    ...(part === 'payment-provider' && { SHOP_LEDGER_FILE: join(folder.outside, 'ledger') }),
    ...(isService(part) && { SHOP_DATABASE_URL: databaseUrl(state.postgres.address, databaseName(part)) }),
    ...Object.fromEntries(
      partNames.flatMap((name) => {
        const port = state.parts[name]?.port
        return port === undefined ? [] : [[`SHOP_URL_${inCapitals(name)}`, `http://127.0.0.1:${port}`]]
      }),
    ),
  }
}

/** The URL of one database on the server that another URL leads to. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${encodeURIComponent(database)}`
  return url.href
}

/** `mail-sink` as environment variables write it. */
export function inCapitals(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
