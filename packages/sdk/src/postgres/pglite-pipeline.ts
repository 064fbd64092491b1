import { type PGliteInterface, parse, protocol, types } from '@electric-sql/pglite'
import type { Command } from './open-transaction.ts'
import { preparedName, stalePlanStates } from './prepared-statements.ts'
import type { QueryResult, Row } from './queryable.ts'
import { sqlState } from './sql-errors.ts'

const { serialize } = protocol
type Message = Awaited<ReturnType<PGliteInterface['execProtocolStream']>>[number]

/** Types as `pg` gives them, so that code sees no difference: bigint as text, bytea as a Buffer. */
export const parsers = {
  20: (text: string) => text,
  17: (text: string) => Buffer.from(text.slice(2), 'hex'),
}

/** What the connection has planned: the shape of each statement's rows, by the statement's name. */
const planned = new WeakMap<object, Map<string, Message | undefined>>()

/**
 * Runs commands on the one connection in as few exchanges as it can: calling into the embedded server, and having it plan
 * a text anew, is what costs. The connection is held from the first exchange to the last: an end of the transaction that
 * came in between would leave the rest to commit on its own.
 *
 * @param mayRun asked once the connection is held; it throws when the transaction has ended by then.
 * @param scope keeps apart the plans of texts that mean something else here, such as another schema's.
 */
export function runPipelined(
  database: PGliteInterface,
  scope: string,
  commands: readonly Command[],
  mayRun: () => void,
): Promise<PromiseSettledResult<QueryResult>[]> {
  return database.runExclusive(() => {
    mayRun()
    return runHolding(database, scope, commands)
  })
}

async function runHolding(
  database: PGliteInterface,
  scope: string,
  commands: readonly Command[],
): Promise<PromiseSettledResult<QueryResult>[]> {
  const plans = planned.get(database) ?? new Map<string, Message | undefined>()
  planned.set(database, plans)
  const outcomes: PromiseSettledResult<QueryResult>[] = []
  let batch: { bytes: Uint8Array[]; rows: (Message | undefined)[] } = { bytes: [], rows: [] }
  const flush = async () => {
    if (batch.rows.length > 0)
      outcomes.push(...readOutcomes(database, batch.rows, await exchange(database, batch.bytes)))
    batch = { bytes: [], rows: [] }
  }
  for (const { text, values } of commands) {
    if (values === undefined) {
      batch.bytes.push(serialize.query(text))
      batch.rows.push(undefined)
      continue
    }
    const name = preparedName(text)
    const statement = name === undefined ? '' : `${name} ${scope}`
    if (statement === '' || !plans.has(statement)) {
      // It may only make sense after the ones before it, and what follows it needs to know what it looks like.
      await flush()
      const failure = await plan(database, statement, text, plans)
      if (failure !== undefined) {
        outcomes.push({ status: 'rejected', reason: failure })
        continue
      }
    }
    batch.bytes.push(
      serialize.bind({ statement, values: values.map(textOf) }),
      serialize.execute({}),
      // One for each command, so that a failure takes only its own command along.
      serialize.sync(),
    )
    batch.rows.push(plans.get(statement))
    if (statement === '') await flush()
  }
  await flush()
  if (outcomes.some((outcome) => outcome.status === 'rejected' && stalePlanStates.has(sqlState(outcome.reason) ?? '')))
    plans.clear()
  return outcomes
}

async function plan(
  database: PGliteInterface,
  name: string,
  text: string,
  plans: Map<string, Message | undefined>,
): Promise<Message | undefined> {
  const answer = await exchange(database, [
    // A plan that went stale keeps its name until it is closed; closing none is no mistake.
    serialize.close({ type: 'S', name }),
    serialize.parse({ name, text }),
    serialize.describe({ type: 'S', name }),
    serialize.sync(),
  ])
  const failure = answer.find((message) => message.name === 'error')
  if (failure === undefined)
    plans.set(
      name,
      answer.find((message) => message.name === 'rowDescription'),
    )
  return failure
}

function exchange(database: PGliteInterface, bytes: readonly Uint8Array[]): Promise<Message[]> {
  const message = bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes)
  return database.execProtocolStream(message, { throwOnError: false, syncToFs: false })
}

/** One outcome for each command: every command's answer ends with the server being ready for the next. */
function readOutcomes(
  database: PGliteInterface,
  rows: readonly (Message | undefined)[],
  answer: readonly Message[],
): PromiseSettledResult<QueryResult>[] {
  const outcomes: PromiseSettledResult<QueryResult>[] = []
  let start = 0
  for (const description of rows) {
    const end = answer.findIndex((message, i) => i >= start && message.name === 'readyForQuery')
    const own = answer.slice(start, end === -1 ? undefined : end)
    start = end === -1 ? answer.length : end + 1
    const failure = own.find((message) => message.name === 'error')
    if (failure !== undefined) outcomes.push({ status: 'rejected', reason: failure })
    else
      outcomes.push({
        status: 'fulfilled',
        value: toResult(database, description === undefined ? own : [description, ...own]),
      })
  }
  return outcomes
}

function toResult(database: PGliteInterface, messages: Message[]): QueryResult {
  const result = parse.parseResults(messages, parsersOf(database)).at(-1)
  // Rows are read by column name as records; the library types them by what the caller says.
  const rows = (result?.rows ?? []) as Row[]
  return { rows, rowCount: rows.length > 0 ? rows.length : (result?.affectedRows ?? 0) }
}

const parsersByDatabase = new WeakMap<object, typeof types.parsers>()

/** All parsers of a database in one table, made once: there are hundreds, and joining them for every result costs more than reading it. */
function parsersOf(database: object): typeof types.parsers {
  const known = parsersByDatabase.get(database)
  if (known !== undefined) return known
  // A database knows the parsers of its own array types, under the library's name; one behind a worker does not tell.
  const own = 'parsers' in database ? (database.parsers as typeof types.parsers) : types.parsers
  const all = { ...own, ...parsers }
  parsersByDatabase.set(database, all)
  return all
}

/** A value as text, as `pg` writes it. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `{${value.map(elementOf).join(',')}}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function elementOf(value: unknown): string {
  if (Array.isArray(value)) return textOf(value) ?? ''
  const text = textOf(value)
  return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
}
