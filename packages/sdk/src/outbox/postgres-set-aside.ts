import type { Row } from '../postgres/queryable.ts'
import type { Session, Sql } from '../postgres/sql.ts'
import { messageOf, storableError } from '../postgres/stored-message.ts'
import type { AsideSummary, FailedRow } from './relay-session.ts'
import type { SetAside, SetAsideRow } from './set-aside.ts'

/**
 * What the relay set aside: rows that the broker can never take as they are (too large, an unknown topic). Later rows of
 * the same topic and key wait behind such a row, since their order is promised, until it is retried or discarded;
 * other keys flow. An outage of the broker sets nothing aside.
 *
 * @example
 * for (const row of await outboxSetAside(sql).list()) console.log(row.id, row.errorMessage)
 */
export function outboxSetAside(sql: Sql): SetAside {
  return {
    async list({ limit = 100 } = {}) {
      const { rows } = await sql.query(list, [limit])
      return rows.map(toSetAsideRow)
    },
    retry: (id) => release(sql, id, putBack),
    discard: (id) => release(sql, id, discard),
  }
}

function release(sql: Sql, id: string, statement: string): Promise<boolean> {
  return sql.transaction(async (tx) => {
    await tx.query(lock)
    const { rowCount } = await tx.query(statement, [id])
    if (rowCount === 0) return false
    await tx.query(putWaitingBack)
    return true
  })
}

/** Moves rows at fault aside, with their errors, and after them everything of their keys. */
export function moveAside(session: Session, failed: readonly FailedRow[]): Promise<void> {
  return session.transaction(async (tx) => {
    await tx.query(lock)
    await tx.query(moveFailed, [
      failed.map(({ row }) => row.id),
      failed.map(({ error }) => error.code),
      failed.map(({ error }) => storableError(error.message)),
    ])
    await tx.query(moveWaiting)
  })
}

/** Moves what came to wait behind set-aside rows to them, so that claims need not pass it again and again; tells what is there. */
export async function sweepAside(session: Session): Promise<AsideSummary> {
  const { rows } = await session.query(summary, [])
  const [row] = rows
  const there = { rows: Number(row?.rows ?? 0), waiting: Number(row?.waiting ?? 0), reason: String(row?.reason ?? '') }
  if (there.rows === 0) return there
  const { rowCount } = await session.transaction(async (tx) => {
    await tx.query(lock)
    return tx.query(moveWaiting, [])
  })
  return { ...there, waiting: there.waiting + (rowCount ?? 0) }
}

// The column types are those of the statement below.
function toSetAsideRow(row: Row): SetAsideRow {
  return {
    id: String(row.id),
    message: messageOf(row),
    errorCode: String(row.error_code),
    errorMessage: String(row.error_message),
    setAsideAt: row.set_aside_at as Date,
    waitingBehind: Number(row.waiting_behind),
  }
}

// Every change of the table takes this lock first. Without it, a row could be moved behind another that is being put
// back at the same moment, and would wait for ever behind nothing. Changes are rare; reading needs no lock.
const lock = `select pg_advisory_xact_lock(('evtkit_outbox_set_aside'::regclass::oid::bigint << 32))`

const columns = 'id, key_hash, topic, key, value, headers, timestamp_ms, created_at'

const moveFailed = `with failed as (
  select * from unnest($1::bigint[], $2::text[], $3::text[]) as f (id, error_code, error_message)
), moved as (
  delete from evtkit_outbox o using failed where o.id = failed.id returning o.*
)
insert into evtkit_outbox_set_aside (${columns}, error_code, error_message)
select m.id, key_hash, topic, key, value, headers, timestamp_ms, created_at, error_code, error_message
from moved m join failed using (id)`

// A row waits when an earlier row of its topic and key is aside. Rows without a key never do: NULL equals nothing.
// Rows whose transaction is not committed yet are not seen; the claim leaves them out once they are, and the next sweep moves them.
const moveWaiting = `with moved as (
  delete from evtkit_outbox o using (
    select distinct key_hash, topic, key from evtkit_outbox_set_aside where error_code is not null
  ) blocked
  where o.key_hash = blocked.key_hash and o.topic = blocked.topic and o.key = blocked.key
  returning o.*
)
insert into evtkit_outbox_set_aside (${columns}) select ${columns} from moved`

const summary = `select count(error_code)::int4 as rows, (count(*) - count(error_code))::int4 as waiting,
  (select error_message from evtkit_outbox_set_aside where error_code is not null order by id limit 1) as reason
from evtkit_outbox_set_aside`

const putBack = `with back as (delete from evtkit_outbox_set_aside where id = $1::bigint and error_code is not null returning *)
insert into evtkit_outbox (${columns}) overriding system value select ${columns} from back`

const discard = 'delete from evtkit_outbox_set_aside where id = $1::bigint and error_code is not null'

// Their old ids bring them back in their old order. A key with another row at fault stays where it is.
const putWaitingBack = `with back as (
  delete from evtkit_outbox_set_aside w where w.error_code is null and not exists (
    select from evtkit_outbox_set_aside a
    where a.error_code is not null and a.key_hash = w.key_hash and a.topic = w.topic and a.key = w.key
  ) returning *
)
insert into evtkit_outbox (${columns}) overriding system value select ${columns} from back`

const list = `select a.*, (
  select count(*) from evtkit_outbox_set_aside w
  where w.error_code is null and w.key_hash = a.key_hash and w.topic = a.topic and w.key = a.key
)::int4 as waiting_behind
from evtkit_outbox_set_aside a where a.error_code is not null order by a.id limit $1::int4`
