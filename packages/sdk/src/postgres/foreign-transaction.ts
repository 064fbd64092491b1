import { NotATransactionError } from '../core/errors.ts'
import type { QueryResult, Row } from './queryable.ts'
import { statementError } from './sql-errors.ts'
import { inTransaction, type Tx } from './tx.ts'

/** What is needed of a `pg` client (8.23 or newer). */
export interface PgClient {
  query(config: { text: string; values?: unknown[] }): Promise<{ rows: Row[]; rowCount: number | null }>
  /** `T` inside a transaction, `E` inside one that failed, `I` outside, as the server last said. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null
}

/** A transaction that somebody else begins and ends. */
export interface ForeignTx extends Tx {
  /** To be called after your COMMIT: runs what waits for it, such as waking the relay. Without it, polling does the same a little later. */
  committed(): void
}

/**
 * Makes a transaction out of a `pg` client of your own on which you have awaited BEGIN.
 *
 * @example
 * await client.query('BEGIN')
 * await producer.through(outbox.in(transactionOf(client))).publish(OrderCreated, order)
 * await client.query('COMMIT')
 *
 * @throws NotATransactionError when the client has no transaction open, or that transaction has failed.
 */
export function transactionOf(client: PgClient): ForeignTx {
  mustBeInTransaction(client)
  return new ForeignTransaction(client)
}

class ForeignTransaction implements ForeignTx {
  readonly [inTransaction] = true
  readonly #client: PgClient
  #callbacks: (() => void)[] = []

  constructor(client: PgClient) {
    this.#client = client
  }

  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    mustBeInTransaction(this.#client)
    try {
      return await this.#client.query({
        text,
        ...(values === undefined ? {} : { values: [...values] }),
      })
    } catch (error) {
      throw statementError(error, undefined, 'PostgreSQL')
    }
  }

  /** Runs at once: whether anything comes before the commit is not ours to know. */
  async enqueue(text: string, values?: readonly unknown[], explain?: (error: unknown) => unknown): Promise<void> {
    try {
      await this.query(text, values)
    } catch (error) {
      throw explain === undefined ? error : explain(error)
    }
  }

  onCommit(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  committed(): void {
    const callbacks = this.#callbacks
    this.#callbacks = []
    for (const callback of callbacks) callback()
  }
}

function mustBeInTransaction(client: unknown): asserts client is PgClient {
  const status = transactionStatus(client)
  if (status === 'T') return
  const came =
    status === undefined
      ? 'something that is not a pg client (8.23 or newer); a pool has no transaction, check a client out of it'
      : status === 'E'
        ? 'a client whose transaction has failed; roll it back'
        : 'a client with no transaction open; await client.query("BEGIN") first'
  throw new NotATransactionError(`transactionOf expected a pg client inside a transaction, got ${came}`)
}

function transactionStatus(client: unknown): string | null | undefined {
  if (typeof client !== 'object' || client === null || !('getTransactionStatus' in client)) return undefined
  const { getTransactionStatus } = client
  // Typed as a function by the check itself; what it returns is compared, not trusted.
  return typeof getTransactionStatus === 'function' ? (getTransactionStatus.call(client) as string | null) : undefined
}
