import { type Clock, systemClock } from '../core/clock.ts'
import type { Context } from '../core/context.ts'
import type { Handler } from '../core/dispatch.ts'
import type { Envelope } from '../core/envelope.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import { eventKey } from '../core/event-key.ts'
import { failpoint } from '../core/failpoint.ts'
import { remembersMs } from '../core/handler-options.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import type { TopicDefinition } from '../core/topic.ts'
import type { Sql } from '../postgres/sql.ts'
import type { Tx } from '../postgres/tx.ts'
import type { Handling, HandlingOutcome } from './handling.ts'
import type { Duplicate, Inbox, InboxStats, OnceOptions } from './inbox.ts'
import { GroupCommit } from './postgres-group-commit.ts'
import { note } from './postgres-notes.ts'

export interface InboxOptions {
  readonly sql: Sql
  /** How long handled events are remembered when pruning. Milliseconds. @default for ever */
  readonly retentionMs?: number
  /** The topics consumed: nothing is forgotten while a record of them could still be delivered again. @default [] */
  readonly topics?: readonly TopicDefinition[]
  /** Told of every event that came again. What it throws is logged: the event was handled before, and stays so. */
  readonly onDuplicate?: (duplicate: Duplicate) => void
  /**
   * Most events that are handled in one transaction, when they arrive together: handlers of different keys then run at once
   * on one connection, with one commit. 1 gives each event its own. @default 128
   */
  readonly maxGroupSize?: number
  readonly logger?: Logger
  readonly clock?: Clock
}

/**
 * Creates an inbox over the table `evtkit_inbox` in the connection's search path.
 *
 * @throws InvalidConfigurationError when `retentionMs` is shorter than the retention of one of the topics, or `maxGroupSize` is no whole number from 1 up.
 */
export function createInbox(options: InboxOptions): Inbox<Tx> {
  const { maxGroupSize = 128 } = options
  if (!Number.isInteger(maxGroupSize) || maxGroupSize < 1)
    throw new InvalidConfigurationError(`maxGroupSize must be a whole number from 1 up, got ${maxGroupSize}`)
  if (options.retentionMs !== undefined) mustOutlive(options.retentionMs, options.topics ?? [])
  return new PostgresInbox(options)
}

class PostgresInbox implements Inbox<Tx> {
  readonly #options: InboxOptions
  readonly #sql: Sql
  /** By consumer group. */
  readonly #groups = new Map<string, GroupCommit>()
  #handled = 0
  #duplicates = 0

  constructor(options: InboxOptions) {
    this.#options = options
    this.#sql = options.sql
  }

  once<Type extends string, Data>(
    handler: Handler<Type, Data, { readonly tx: Tx }>,
    { name, alone = false }: OnceOptions = {},
  ): Handler<Type, Data> {
    if (name === '') throw new InvalidConfigurationError('a handler\'s name in the inbox must not be empty, got ""')
    const once: Handler<Type, Data> = async (event, context) => {
      const handlerName = name ?? event.eventType
      const { group, delivery } = context
      const outcome = await this.#groupOf(group).handle({
        event,
        note: { eventKey: eventKey(event.eventId), group, handler: handlerName },
        key: delivery.message.key?.toString('latin1') ?? null,
        get signal() {
          return context.signal
        },
        // One that failed before is likely to fail again, and would take the others' work along.
        shares: !alone && delivery.attempt === 1,
        work: async (tx) => handler(event, withTransaction(context, tx)),
      })
      if (outcome === 'handled') this.#handled++
      else this.#cameAgain(event, context, handlerName)
    }
    // A consumer that may retry for longer than this refuses to start.
    return Object.assign(once, { [remembersMs]: this.#options.retentionMs ?? Number.POSITIVE_INFINITY })
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
    let groups = 0
    let groupsGivenUp = 0
    for (const commit of this.#groups.values()) {
      groups += commit.groups
      groupsGivenUp += commit.givenUp
    }
    return { handled: this.#handled, duplicates: this.#duplicates, groups, groupsGivenUp }
  }

  #groupOf(group: string): GroupCommit {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const { maxGroupSize = 128, clock = systemClock } = this.#options
    const created = new GroupCommit({ sql: this.#sql, clock, maxSize: maxGroupSize, alone: (one) => this.#alone(one) })
    this.#groups.set(group, created)
    return created
  }

  async #alone({ note: noted, signal, work }: Handling<Tx>): Promise<HandlingOutcome> {
    const outcome = await this.#sql.transaction(
      async (tx): Promise<HandlingOutcome> => {
        if (!(await note(tx, noted))) return 'duplicate'
        await failpoint('inbox.noted')
        await work(tx)
        await failpoint('inbox.handled')
        return 'handled'
      },
      { signal },
    )
    await failpoint('inbox.committed')
    return outcome
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

const pruneAtOnce = 10_000

// The block range index narrows the scan to blocks with old rows; ctid finds the chosen ones without another index.
const pruneSome = `delete from evtkit_inbox where ctid = any(array(
  select ctid from evtkit_inbox where handled_at < now() - $1::float8 * interval '1 millisecond' limit $2
))`
