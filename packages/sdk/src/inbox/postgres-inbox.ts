import type { Context } from '../core/context.ts'
import type { Handler } from '../core/dispatch.ts'
import type { Envelope } from '../core/envelope.ts'
import { InvalidConfigurationError, SchemaNotMigratedError } from '../core/errors.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import type { TopicDefinition } from '../core/topic.ts'
import type { Sql } from '../postgres/sql.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import { eventKey } from './event-key.ts'
import type { Duplicate, Inbox, InboxStats } from './inbox.ts'

export interface InboxOptions {
  readonly sql: Sql
  /** How long handled events are remembered when pruning. Milliseconds. @default for ever */
  readonly retentionMs?: number
  /** The topics consumed: nothing is forgotten while a record of them could still be delivered again. @default [] */
  readonly topics?: readonly TopicDefinition[]
  /** Told of every event that came again. What it throws is logged: the event was handled before, and stays so. */
  readonly onDuplicate?: (duplicate: Duplicate) => void
  readonly logger?: Logger
}

/**
 * Creates an inbox over the table `evtkit_inbox` in the connection's search path.
 *
 * @throws InvalidConfigurationError when `retentionMs` is shorter than the retention of one of the topics.
 */
export function createInbox(options: InboxOptions): Inbox<Tx> {
  if (options.retentionMs !== undefined) mustOutlive(options.retentionMs, options.topics ?? [])
  return new PostgresInbox(options)
}

class PostgresInbox implements Inbox<Tx> {
  readonly #options: InboxOptions
  readonly #sql: Sql
  #handled = 0
  #duplicates = 0

  constructor(options: InboxOptions) {
    this.#options = options
    this.#sql = options.sql
  }

  once<Type extends string, Data>(
    handler: Handler<Type, Data, { readonly tx: Tx }>,
    { name }: { readonly name?: string } = {},
  ): Handler<Type, Data> {
    if (name === '') throw new InvalidConfigurationError('a handler\'s name in the inbox must not be empty, got ""')
    return async (event, context) => {
      const handlerName = name ?? event.eventType
      const handled = await this.#sql.transaction(
        async (tx) => {
          if (!(await isFirst(tx, event, context, handlerName))) return false
          await handler(event, withTransaction(context, tx))
          return true
        },
        { signal: context.signal },
      )
      if (handled) this.#handled++
      else this.#cameAgain(event, context, handlerName)
    }
  }

  async prune(olderThanMs = this.#options.retentionMs): Promise<number> {
    if (olderThanMs === undefined)
      throw new InvalidConfigurationError(
        'inbox.prune() needs an age: pass prune(olderThanMs), or create the inbox with retentionMs',
      )
    mustOutlive(olderThanMs, this.#options.topics ?? [])
    let forgotten = 0
    // In portions, so that no single statement holds locks or an old snapshot for long.
    for (;;) {
      const { rowCount } = await this.#sql.query(pruneSome, [olderThanMs, pruneAtOnce])
      forgotten += rowCount ?? 0
      if ((rowCount ?? 0) < pruneAtOnce) return forgotten
    }
  }

  stats(): InboxStats {
    return { handled: this.#handled, duplicates: this.#duplicates }
  }

  #cameAgain(event: Envelope, context: Context, handler: string): void {
    this.#duplicates++
    const { eventId, eventType } = event
    const { onDuplicate, logger = consoleLogger } = this.#options
    try {
      onDuplicate?.({ eventId, eventType, group: context.group, handler })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error({ eventId, eventType, handler, reason }, 'onDuplicate of the inbox threw; the event stays handled')
    }
  }
}

/** Notes the event. A copy that is being handled elsewhere is waited for: the unique index holds us until it has ended. */
async function isFirst(tx: Tx, event: Envelope, context: Context, handler: string): Promise<boolean> {
  try {
    const { rowCount } = await tx.query(note, [eventKey(event.eventId), context.group, handler])
    return rowCount === 1
  } catch (error) {
    const state = sqlState(error)
    if (state !== '42P01' && state !== '42703') throw error
    throw new SchemaNotMigratedError(
      'the inbox has no table (evtkit_inbox) in this database; run migrate(sql, [inboxMigrations]) before the consumer starts',
      { cause: error },
    )
  }
}

/** The context is an object with getters that are computed on demand; it is extended, never copied. */
function withTransaction(context: Context, tx: Tx): Context & { readonly tx: Tx } {
  return {
    get delivery() {
      return context.delivery
    },
    get group() {
      return context.group
    },
    get signal() {
      return context.signal
    },
    tx,
  }
}

function mustOutlive(retentionMs: number, topics: readonly TopicDefinition[]): void {
  if (!(retentionMs > 0)) throw new InvalidConfigurationError(`retentionMs must be more than 0, got ${retentionMs}`)
  for (const topic of topics)
    if (topic.retentionMs === -1 || topic.retentionMs > retentionMs)
      throw new InvalidConfigurationError(
        `the inbox would forget events after ${retentionMs} ms, but topic "${topic.name}" keeps records ` +
          `${topic.retentionMs === -1 ? 'for ever' : `for ${topic.retentionMs} ms`}: a record delivered again would have its effect twice. ` +
          'Keep the inbox at least as long as the topic.',
      )
}

const note = `insert into evtkit_inbox (event_id, consumer_group, handler) values ($1::uuid, $2::text, $3::text)
on conflict do nothing`

const pruneAtOnce = 10_000

// The block range index narrows the scan to blocks with old rows; ctid finds the chosen ones without another index.
const pruneSome = `delete from evtkit_inbox where ctid = any(array(
  select ctid from evtkit_inbox where handled_at < now() - $1::float8 * interval '1 millisecond' limit $2
))`
