import { InvalidConfigurationError } from '../core/errors.ts'
import type { DeadLetterFilter, DeadLetterPage, DeadLetterQuery, Decision } from './dead-letter.ts'
import { keyHash } from './failed-record.ts'
import type { ParkedKeyFilter, ParkedKeyQuery } from './parked-key.ts'

/** The condition of a query on the table alias `e`; the parameters are those of {@link queryValues}. */
export const chosen = `($1::text is null or e.consumer_group = $1)
  and ($2::bigint[] is null or e.id = any($2))
  and ($3::text is null or e.topic = $3)
  and ($4::text is null or e.event_type = $4)
  and ($5::text is null or e.error_code = $5)
  and ($6::bytea is null or e.key_hash = $6)
  and ($7::text is null or e.correlation_id = $7)
  and ($8::timestamptz is null or coalesce(e.last_failed, e.first_seen) >= $8)
  and ($9::timestamptz is null or coalesce(e.last_failed, e.first_seen) < $9)
  and e.state = any($10::text[])`

export function queryValues(query: DeadLetterQuery): readonly unknown[] {
  return [
    query.group ?? null,
    query.ids === undefined ? null : query.ids.filter(isId),
    query.topic ?? null,
    query.eventType ?? null,
    query.errorCode ?? null,
    query.key === undefined ? null : keyHash(Buffer.from(query.key), 0n, noContent),
    query.correlationId ?? null,
    query.from ?? null,
    query.to ?? null,
    query.states ?? ['dead'],
  ]
}

/** The condition of a filter on the table alias `k`; the parameters are those of {@link keyValues}. */
export const chosenKeys = `($1::text is null or k.consumer_group = $1)
  and ($2::bigint[] is null or k.id = any($2))
  and ($3::text is null or k.topic = $3)
  and ($4::bytea is null or k.key_hash = $4)
  and ($5::text is null or k.state = $5)`

export function keyValues({ group, ids, topic, key, state }: ParkedKeyQuery): readonly unknown[] {
  return [
    group ?? null,
    ids === undefined ? null : ids.filter(isId),
    topic ?? null,
    key === undefined ? null : keyHash(Buffer.from(key), 0n, noContent),
    state ?? null,
  ]
}

/** @throws InvalidConfigurationError for a filter that would choose everything of a group without saying so. */
export function mustChoose(filter: DeadLetterFilter | ParkedKeyFilter): void {
  if (typeof filter.group !== 'string' || filter.group === '')
    throw new InvalidConfigurationError('a filter needs the group whose failed events it is about, got none')
  const { group: _, all, ...rest } = filter
  if (all === true || Object.values(rest).some((value) => value !== undefined)) return
  throw new InvalidConfigurationError(
    `this filter would choose everything of group "${filter.group}"; say \`all: true\` if that is meant, or name ids, a topic, a key, an error code or the like`,
  )
}

const maxTextLength = 1000

/** @throws InvalidConfigurationError when it is not said who decides and why. */
export function mustBeDecision({ by, reason }: Decision): void {
  for (const [name, text] of Object.entries({ by, reason }))
    if (typeof text !== 'string' || text.trim() === '' || text.length > maxTextLength || text.includes('\0'))
      throw new InvalidConfigurationError(
        `${name} must say ${name === 'by' ? 'who decides' : 'why'}, in 1 to ${maxTextLength} characters: it is kept for those who ask later`,
      )
}

/** The rows of a page: how many, and the last id of the page before. */
export function pageValues({ limit = 100, after }: DeadLetterPage): readonly [limit: number, after: string | null] {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 10_000)
    throw new InvalidConfigurationError(`limit must be a whole number from 1 to 10000, got ${limit}`)
  if (after !== undefined && !isId(after))
    throw new InvalidConfigurationError('after must be the id of the last one on the page before')
  return [limit, after ?? null]
}

/** What a filter says, as it is kept in the history. */
export function filterJson(filter: object): string {
  return JSON.stringify(filter, (_, value: unknown) =>
    isBuffer(value) ? Buffer.from(value.data).toString() : value,
  ).replaceAll('\\u0000', '\\ufffd')
}

/** As JSON.stringify sees a Buffer, which has its own way to become JSON. */
function isBuffer(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value
}

/** Ids are numbers of the database; anything else is no id of anything. */
export function isId(id: string): boolean {
  return /^[1-9][0-9]{0,17}$/.test(id)
}

const noContent = Buffer.alloc(0)
