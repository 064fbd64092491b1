import { failpoint } from '../core/failpoint.ts'
import type { Queryable } from '../postgres/queryable.ts'
import type { Sql } from '../postgres/sql.ts'
import { isConflict } from '../postgres/sql-errors.ts'
import type { Tx } from '../postgres/tx.ts'
import type { DeadLetterOperation, Decision } from './dead-letter.ts'
import { filterJson } from './postgres-dead-letter-filter.ts'
import { explained } from './postgres-failed-record.ts'

/** How often an operation that clashed with a worker or with another operation is begun again. */
const attempts = 5

/** Runs what a person decided in one transaction, so that it is done and recorded, or neither. */
export async function operate<T>(sql: Sql, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await explained(sql.transaction(work))
    } catch (error) {
      if (!isConflict(error) || attempt === attempts) throw error
    }
}

/** Records what was done, by whom and why; resolves with the id of the record. */
export async function record(
  tx: Queryable,
  done: Pick<DeadLetterOperation, 'operation' | 'group' | 'ids'> & Decision & { readonly filter: object },
): Promise<string> {
  const values = [done.group, done.operation, done.by, done.reason, filterJson(done.filter), done.ids]
  const { rows } = await tx.query(insertOperation, values)
  if (done.operation === 'redrive') await failpoint('redrive.released')
  return String(rows[0]?.id)
}

const insertOperation = `insert into evtkit_dead_letter_operations (consumer_group, operation, done_by, reason, filter, failed_events)
values ($1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::bigint[]) returning id`
