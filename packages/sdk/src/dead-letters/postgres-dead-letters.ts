import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import { failedAttempt } from '../core/failure.ts'
import { type NewId, newUuid } from '../core/ids.ts'
import type { RejectHandler } from '../core/rejection.ts'
import type { Sql } from '../postgres/sql.ts'
import type {
  DeadLetter,
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterOperation,
  DeadLetterPage,
  DeadLetterQuery,
  Decision,
} from './dead-letter.ts'
import type { DeadLetters, EditOptions, RedriveDecision } from './dead-letters.ts'
import type { ParkedKey, ParkedKeyFilter, ParkedKeyPage, ParkedKeyQuery } from './parked-key.ts'
import { editDeadLetter } from './postgres-dead-letter-edit.ts'
import { chosen, isId, pageValues, queryValues } from './postgres-dead-letter-filter.ts'
import { deadLetterColumns, toDeadLetter, toEdit, toOperation } from './postgres-dead-letter-rows.ts'
import { explained } from './postgres-failed-record.ts'
import { discard, listKeys, retryNow, skipHeads } from './postgres-key-operations.ts'
import { buryAlone } from './postgres-park.ts'
import { planRedrive, redrive } from './postgres-redrive.ts'
import type { RedrivePlan, RedriveResult } from './redrive.ts'

export interface DeadLettersOptions {
  readonly sql: Sql
  readonly clock?: Clock
  readonly newId?: NewId
}

/**
 * The dead letters in a database that has the tables of `deadLetterMigrations`.
 *
 * @example
 * const deadLetters = createDeadLetters({ sql })
 * const plan = await deadLetters.plan({ group: 'shipping', errorCode: 'CARRIER_DOWN' })
 * await deadLetters.redrive(plan, { by: 'ines', reason: 'the carrier is back' })
 */
export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  return new PostgresDeadLetters(options)
}

class PostgresDeadLetters implements DeadLetters {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #newId: NewId

  constructor({ sql, clock = systemClock, newId = newUuid }: DeadLettersOptions) {
    this.#sql = sql
    this.#clock = clock
    this.#newId = newId
  }

  readonly rejected: RejectHandler = async ({ delivery, error }) => {
    const attempts = [failedAttempt(error, this.#clock)]
    await buryAlone(this.#sql, { delivery, attempts, final: true, afterGivingUp: 'skip' })
    await failpoint('deadLetters.stored')
  }

  async list(query: DeadLetterQuery = {}, page: DeadLetterPage = {}): Promise<readonly DeadLetter[]> {
    const { rows } = await explained(this.#sql.query(listChosen, [...queryValues(query), ...pageValues(page)]))
    return rows.map(toDeadLetter)
  }

  async show(id: string): Promise<DeadLetterDetails | undefined> {
    if (!isId(id)) return undefined
    const [row] = (await explained(this.#sql.query(showOne, [id]))).rows
    if (row === undefined) return undefined
    const [edits, operations] = [
      await this.#sql.query(editsOf, [id]),
      await this.#sql.query(operationsOn, [id, row.consumer_group]),
    ]
    return {
      ...toDeadLetter(row),
      successors: Number(row.successors),
      edits: edits.rows.map(toEdit),
      operations: operations.rows.map(toOperation),
    }
  }

  keys(query: ParkedKeyQuery = {}, page: ParkedKeyPage = {}): Promise<readonly ParkedKey[]> {
    return listKeys(this.#sql, query, page)
  }

  plan(filter: DeadLetterFilter): Promise<RedrivePlan> {
    return planRedrive(this.#sql, filter)
  }

  async redrive(which: RedrivePlan | DeadLetterFilter, decision: RedriveDecision): Promise<RedriveResult> {
    return redrive(this.#sql, 'events' in which ? which : await planRedrive(this.#sql, which), decision)
  }

  edit<Type extends string, Data, Input>(
    id: string,
    edit: EditOptions<Type, Data, Input>,
  ): Promise<{ readonly eventId: string }> {
    return editDeadLetter({ sql: this.#sql, clock: this.#clock, newId: this.#newId }, id, edit)
  }

  discard(filter: DeadLetterFilter, decision: Decision): Promise<readonly string[]> {
    return discard(this.#sql, filter, decision)
  }

  retryNow(filter: ParkedKeyFilter, decision: Decision): Promise<readonly string[]> {
    return retryNow(this.#sql, filter, decision)
  }

  skip(filter: ParkedKeyFilter, decision: Decision): Promise<readonly string[]> {
    return skipHeads(this.#sql, filter, decision)
  }

  async history(
    { group }: { readonly group?: string } = {},
    page: DeadLetterPage = {},
  ): Promise<readonly DeadLetterOperation[]> {
    const { rows } = await explained(this.#sql.query(listOperations, [group ?? null, ...pageValues(page)]))
    return rows.map(toOperation)
  }

  async prune(olderThanMs: number): Promise<number> {
    if (!(olderThanMs > 0)) throw new InvalidConfigurationError(`olderThanMs must be more than 0, got ${olderThanMs}`)
    let forgotten = 0
    for (;;) {
      const { rowCount } = await explained(this.#sql.query(pruneEvents, [olderThanMs, pruneAtOnce]))
      forgotten += rowCount ?? 0
      if ((rowCount ?? 0) < pruneAtOnce) break
    }
    await this.#sql.query(pruneOperations, [olderThanMs])
    return forgotten
  }
}

const listChosen = `select ${deadLetterColumns} from evtkit_failed_events e
where ${chosen} and ($12::bigint is null or e.id < $12) order by e.id desc limit $11::int4`

const showOne = `select ${deadLetterColumns}, (
  select count(*)::int4 from evtkit_failed_events s where s.waiting_key = e.waiting_key and s.position > e.position
) as successors
from evtkit_failed_events e where e.id = $1::bigint`

const editsOf = `select d.*, o.done_by, o.reason from evtkit_dead_letter_edits d
left join evtkit_dead_letter_operations o on o.id = d.operation
where d.failed_event = $1::bigint order by d.id`

const operationColumns =
  'o.id, o.consumer_group, o.operation, o.done_by, o.reason, o.done_at, o.filter, o.failed_events::text[] as ids'

const operationsOn = `select ${operationColumns} from evtkit_dead_letter_operations o
where o.consumer_group = $2::text and $1::bigint = any(o.failed_events) order by o.id`

const listOperations = `select ${operationColumns} from evtkit_dead_letter_operations o
where ($1::text is null or o.consumer_group = $1) and ($3::bigint is null or o.id < $3) order by o.id desc limit $2::int4`

const pruneAtOnce = 5000

const pruneEvents = `delete from evtkit_failed_events where id = any(array(
  select id from evtkit_failed_events where ended_at < now() - $1::float8 * interval '1 millisecond' limit $2::int4
))`

const pruneOperations = `delete from evtkit_dead_letter_operations o
where o.done_at < now() - $1::float8 * interval '1 millisecond'
and not exists (select from evtkit_failed_events e where e.id = any(o.failed_events))`
