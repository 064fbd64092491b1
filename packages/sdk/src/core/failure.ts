import type { Clock } from './clock.ts'
import { type ErrorCode, isEvtError, isRejection, type RejectedRecordError, SendFailedError } from './errors.ts'
import type { FailedAttempt } from './failed-events.ts'
import { causes, codeOf, matchesError, type RetryPolicy } from './retry-policy.ts'

/** What an error means for the event that was handled. */
export type Failure =
  /** The record cannot be read or is not known. */
  | { readonly kind: 'rejection'; readonly error: RejectedRecordError }
  /** A part that many events need is down. Never the event's fault. */
  | { readonly kind: 'outage'; readonly error: Error; readonly part: string }
  /** Something was not set up. Not the event's fault either, and it concerns only events like this one. */
  | { readonly kind: 'setup'; readonly error: Error }
  /** The event failed; `final` when no later attempt can help. */
  | { readonly kind: 'failed'; readonly error: Error; readonly final: boolean }

/** Which part is down, by the codes that say so. */
const downParts: Partial<Record<ErrorCode, string>> = {
  EVT_DATABASE_UNAVAILABLE: 'database',
  EVT_BROKER_UNAVAILABLE: 'broker',
  EVT_SEND_TIMEOUT: 'broker',
  EVT_REGISTRY_UNAVAILABLE: 'schema registry',
}

const setupCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'EVT_SCHEMA_NOT_MIGRATED',
  'EVT_UNKNOWN_TOPIC',
  'EVT_TOPIC_MISMATCH',
  'EVT_BROKER_REFUSED',
  'EVT_REGISTRY_REFUSED',
  'EVT_SCHEMA_NOT_REGISTERED',
  'EVT_CLOSED',
])

/** Decides what something thrown means, from codes alone and from what the policy declares. */
export function failureOf(thrown: unknown, policy: RetryPolicy): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (isRejection(thrown)) return { kind: 'rejection', error: thrown }
  const part = partThatIsDown(thrown, policy)
  if (part !== undefined) return { kind: 'outage', error, part }
  const chain = causes(thrown)
  if (chain.some((one) => isEvtError(one) && setupCodes.has(one.code))) return { kind: 'setup', error }
  return { kind: 'failed', error, final: chain.some(isFinal) || matchesError(thrown, policy.final ?? []) }
}

function partThatIsDown(thrown: unknown, policy: RetryPolicy): string | undefined {
  for (const one of causes(thrown)) {
    if (!isEvtError(one)) continue
    if ('part' in one && typeof one.part === 'string') return one.part
    const part = downParts[one.code] ?? (one instanceof SendFailedError ? partOfSend(one) : undefined)
    if (part !== undefined) return part
  }
  for (const [name, matches] of Object.entries(policy.outages ?? {})) if (matchesError(thrown, matches)) return name
  return undefined
}

/** A send is stopped by an outage only when none of its messages failed for a reason of its own. */
function partOfSend({ failures }: SendFailedError): string | undefined {
  const own = [...failures.values()].filter(({ error }) => error.code !== 'EVT_HELD_BACK')
  return own.length > 0 && own.every(({ error }) => downParts[error.code] !== undefined) ? 'broker' : undefined
}

function isFinal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false
}

/** What is kept of an attempt that failed: enough for a person, and bounded. */
export function failedAttempt(error: Error, clock: Clock): FailedAttempt {
  return {
    at: clock.now(),
    code: codeOf(error) ?? error.name,
    message: error.message.slice(0, 2000),
    stack: (error.stack ?? '').split('\n').slice(1, 7).join('\n').slice(0, 2000),
  }
}
