import { InvalidConfigurationError, SchemaNotMigratedError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import type { Sender } from '../core/transport.ts'
import { encodeHeaders } from '../postgres/header-bytes.ts'
import type { Merge } from '../postgres/merged-command.ts'
import { sqlState } from '../postgres/sql-errors.ts'
import { mustBeTransaction, type Tx } from '../postgres/tx.ts'
import type { Outbox } from './outbox.ts'
import { keyHash } from './outbox-row.ts'

export interface OutboxOptions {
  readonly random?: () => number
}

/**
 * Creates an outbox over the table `evtkit_outbox` in the connection's search path.
 *
 * @example
 * const outbox = createOutbox()
 * const relay = createRelay({ sql, sender: broker, outbox })
 */
export function createOutbox({ random = Math.random }: OutboxOptions = {}): Outbox<Tx> {
  return new PostgresOutbox(random)
}

class PostgresOutbox implements Outbox<Tx> {
  readonly #random: () => number
  readonly #listeners = new Set<() => void>()

  constructor(random: () => number) {
    this.#random = random
  }

  in(tx: Tx): Sender {
    mustBeTransaction(tx, 'outbox.in')
    let appended = false
    return {
      send: async (messages) => {
        if (messages.length === 0) return
        await this.#append(tx, messages)
        if (appended) return
        appended = true
        tx.onCommit(() => {
          for (const listener of this.#listeners) listener()
        })
      },
    }
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #append(tx: Tx, messages: readonly RawMessage[]): Promise<void> {
    const [first] = messages
    if (messages.length > 1 || first === undefined) return tx.enqueue(insertMany, this.#columns(messages), explain)
    const hash = keyHash(first, this.#random)
    const values = [hash, first.topic, first.key, first.value, encodeHeaders(first.headers), timestampOf(first)]
    return tx.enqueue(first.key === null ? insertKeyless : insertOne, values, explain, insertMerged)
  }

  #columns(messages: readonly RawMessage[]): unknown[] {
    const hashes = messages.map((message) => keyHash(message, this.#random))
    const locks = hashes.filter((_, i) => messages[i]?.key !== null)
    return [
      hashes,
      messages.map((message) => message.topic),
      messages.map((message) => message.key),
      messages.map((message) => message.value),
      messages.map((message) => encodeHeaders(message.headers)),
      messages.map(timestampOf),
      // In one order for everybody, so that two transactions with several keys cannot each wait for the other.
      [...new Set(locks)].sort((a, b) => a - b),
    ]
  }
}

function timestampOf(message: RawMessage): number | null {
  if (message.timestamp === undefined) return null
  if (!Number.isSafeInteger(message.timestamp))
    throw new InvalidConfigurationError(
      `a message's timestamp must be whole milliseconds since the epoch, got ${message.timestamp}`,
    )
  return message.timestamp
}

function explain(error: unknown): unknown {
  const state = sqlState(error)
  if (state !== '42P01' && state !== '42703') return error
  return new SchemaNotMigratedError(
    'the outbox has no table (evtkit_outbox) in this database; run migrate(sql, [outboxMigrations]) before anything is sent',
    { cause: error },
  )
}

/**
 * The lock of a key, in the one-number space of advisory locks: the table's oid above, the hash below, so that outboxes of
 * one database do not wait for each other. Held until the transaction ends.
 */
const lock = (hash: string) =>
  `pg_advisory_xact_lock(('evtkit_outbox'::regclass::oid::bigint << 32) | (${hash}::bigint & 4294967295))`

// The lock must be held before the id is drawn, or a transaction could draw a low id, wait for the lock and commit after
// a higher one. The identity's nextval is computed in the insert's own target list, per row that the subquery returns;
// the subquery calls a volatile function, so the planner neither flattens it nor drops its unread column.
const insertOne = `insert into evtkit_outbox (key_hash, topic, key, value, headers, timestamp_ms)
select $1::int4, $2::text, $3::bytea, $4::bytea, $5::bytea, $6::bigint from (select ${lock('$1::int4')}) as turn`

const insertKeyless = `insert into evtkit_outbox (key_hash, topic, key, value, headers, timestamp_ms)
values ($1::int4, $2::text, $3::bytea, $4::bytea, $5::bytea, $6::bigint)`

// All locks come first: the count is an init plan behind a one-time filter, computed before the first row, over a CTE that
// must be materialised. unnest in FROM keeps the order of the arrays, and ids are drawn in it.
const insertMany = `with turns as materialized (select ${lock('hash')} from unnest($7::int4[]) as hash)
insert into evtkit_outbox (key_hash, topic, key, value, headers, timestamp_ms)
select * from unnest($1::int4[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bigint[])
where (select count(*) from turns) >= 0`

const columnCount = 6

/**
 * Messages that were sent one by one and leave together. Each row has parameters of its own, so that bytes travel as they
 * are, where an array would write them as hexadecimal text.
 */
const insertMerged: Merge = (rows) => {
  const [first] = rows
  if (first === undefined || rows.length === 1)
    return { text: first?.[2] === null ? insertKeyless : insertOne, values: first ?? [] }
  const locks = new Set<number>()
  for (const [hash, , key] of rows) if (key !== null) locks.add(Number(hash))
  return { text: insertRows(rows.length), values: [...rows.flat(), [...locks].sort((a, b) => a - b)] }
}

const insertTexts = new Map<number, string>()

function insertRows(count: number): string {
  const known = insertTexts.get(count)
  if (known !== undefined) return known
  const types = ['int4', 'text', 'bytea', 'bytea', 'bytea', 'bigint']
  const row = (at: number) => `(${types.map((type, i) => `$${at * columnCount + i + 1}::${type}`).join(', ')})`
  const text = `with turns as materialized (select ${lock('hash')} from unnest($${count * columnCount + 1}::int4[]) as hash)
insert into evtkit_outbox (key_hash, topic, key, value, headers, timestamp_ms)
select * from (values ${Array.from({ length: count }, (_, at) => row(at)).join(', ')}) as message
where (select count(*) from turns) >= 0`
  insertTexts.set(count, text)
  return text
}
