import { Client, type ClientConfig } from 'pg'
import type { AskServer } from './answer-watch.ts'
import { sqlState } from './sql-errors.ts'

/**
 * Asks the server something beside the pool, which may be exhausted by the very statements that are asked about. Takes
 * twice `timeoutMs` at most.
 */
export class PgAside {
  readonly #config: ClientConfig
  readonly #timeoutMs: number

  constructor(config: ClientConfig, timeoutMs: number) {
    this.#config = config
    this.#timeoutMs = timeoutMs
  }

  /** Stops what a backend is doing. */
  async cancel(processId: number): Promise<void> {
    await this.#query('select pg_cancel_backend($1)', [processId])
  }

  /** Which backends are at work on a statement. */
  readonly working: AskServer = async (processIds) => {
    try {
      const rows = await this.#query(working, [processIds])
      return new Set(rows.map(({ pid }) => Number(pid)))
    } catch (error) {
      // A server that answers with a refusal serves; all that is missing is a connection for the question.
      const state = sqlState(error)
      if (state !== undefined && !state.startsWith('57P')) return new Set(processIds)
      throw error
    }
  }

  async #query(text: string, values: unknown[]): Promise<readonly { readonly [column: string]: unknown }[]> {
    const client = new Client({
      ...this.#config,
      // A pool hides its password from being copied.
      ...(this.#config.password !== undefined && { password: this.#config.password }),
      connectionTimeoutMillis: this.#timeoutMs,
      query_timeout: this.#timeoutMs,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query(text, values)
      return rows
    } finally {
      // Not ended in peace: on a line that is cut the server's goodbye would be waited for without end.
      client.connection.stream.destroy()
    }
  }
}

// One that waits for its client owes it nothing: what we wait for was lost on the way. Where the state is not shown to us,
// the backend's being there has to do.
const working = `select pid from pg_stat_activity where pid = any($1::int4[]) and (state is null or
  (state <> 'idle' and state not like 'idle in transaction%' and wait_event_type is distinct from 'Client'))`
