import type { Direction, Fault, FaultAction, FaultOptions } from './fault.ts'
import type { PostgresMessage } from './postgres-frame.ts'
import { PostgresDialect } from './proxy-postgres-dialect.ts'
import { type FaultProxyOptions, listening, ProxyServer, type TcpFaultProxy } from './proxy-server.ts'

/** What a statement, or the server's word on it, must contain; a text may stand anywhere in it, in upper or lower case. */
export type Wording = string | RegExp

/**
 * A stretch of network between clients and PostgreSQL that fails on command. Statements are known by their text, also those
 * that were prepared before; answers are known by the server's word on what it did, such as `COMMIT` or `INSERT 0 1`.
 *
 * It answers by itself that there is no TLS and no GSSAPI, so clients must be ready to go without.
 */
export interface PostgresFaultProxy extends TcpFaultProxy {
  /** The server never sees the statement; the client sees its connection end. */
  closeOnStatement(sql: Wording, options?: FaultOptions<PostgresMessage>): Fault
  /** The statement, and what follows on its connection, reaches the server late. */
  delayStatement(sql: Wording, delayMs: number, options?: FaultOptions<PostgresMessage>): Fault
  /** The server never sees the statement; from then on the connection carries nothing, and nobody is told. */
  silenceOnStatement(sql: Wording, options?: FaultOptions<PostgresMessage>): Fault
  /** The server carries the statement out; the client sees its connection end instead of the answer. */
  closeOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault
  /** The server carries the statement out; the client sees a reset (RST) instead of the answer. */
  resetOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault
  /** The answer, and what follows on its connection, reaches the client late. */
  delayAnswer(tag: Wording, delayMs: number, options?: FaultOptions<PostgresMessage>): Fault
  /** The server carries the statement out; from then on the connection carries nothing, and nobody is told. */
  silenceOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault
}

/**
 * Puts a proxy in front of PostgreSQL. It runs in this process.
 *
 * @example
 * const proxy = await createPostgresFaultProxy({ target: { host: '127.0.0.1', port: 5432 } })
 * const fault = proxy.closeOnAnswer('COMMIT') // committed, and nobody hears of it
 */
export async function createPostgresFaultProxy(options: FaultProxyOptions): Promise<PostgresFaultProxy> {
  return listening(options, (port) => new LocalPostgresFaultProxy(port, options.target, () => new PostgresDialect()))
}

class LocalPostgresFaultProxy extends ProxyServer<PostgresMessage> implements PostgresFaultProxy {
  closeOnStatement(sql: Wording, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('request', sql, { kind: 'close' }, options)
  }

  delayStatement(sql: Wording, delayMs: number, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('request', sql, { kind: 'delay', delayMs }, options)
  }

  silenceOnStatement(sql: Wording, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('request', sql, { kind: 'silence' }, options)
  }

  closeOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('response', tag, { kind: 'close' }, options)
  }

  resetOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('response', tag, { kind: 'reset' }, options)
  }

  delayAnswer(tag: Wording, delayMs: number, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('response', tag, { kind: 'delay', delayMs }, options)
  }

  silenceOnAnswer(tag: Wording, options?: FaultOptions<PostgresMessage>): Fault {
    return this.#add('response', tag, { kind: 'silence' }, options)
  }

  #add(direction: Direction, wording: Wording, action: FaultAction, options?: FaultOptions<PostgresMessage>): Fault {
    const says = (text: string | undefined) => {
      if (text === undefined) return false
      return typeof wording === 'string'
        ? text.toLowerCase().includes(wording.toLowerCase())
        : text.search(wording) >= 0
    }
    return this.add(
      direction,
      (message) => (says(direction === 'request' ? message.sql : message.tag) ? action : undefined),
      options,
    )
  }
}
