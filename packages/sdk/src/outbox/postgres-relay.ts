import type { Backoff } from '../core/backoff.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidConfigurationError } from '../core/errors.ts'
import { consoleLogger, type Logger } from '../core/logger.ts'
import type { Sender } from '../core/transport.ts'
import type { Sql } from '../postgres/sql.ts'
import type { Tx } from '../postgres/tx.ts'
import type { Outbox } from './outbox.ts'
import { OutboxRelay } from './outbox-relay.ts'
import { PostgresRelaySessions } from './postgres-relay-session.ts'
import type { Relay, RelayHealth, RelayStats } from './relay.ts'

export interface RelayOptions {
  /** The database of the outbox. The relay keeps one connection of it to itself. */
  readonly sql: Sql
  /** Where the messages go. */
  readonly sender: Sender
  /** The outbox whose transactions run in this process: they wake the relay as soon as they commit. */
  readonly outbox?: Outbox<Tx>
  /** Rows per send. @default 500 */
  readonly batchSize?: number
  /**
   * Bytes per send, of keys, values and headers; a larger row goes alone. A relay holds two batches at once.
   * @default 8388608 (8 MiB)
   */
  readonly batchBytes?: number
  /** Wait between looks while rows keep coming. Milliseconds. @default 2 */
  readonly busyPollMs?: number
  /** Longest wait between looks when nothing comes. Milliseconds. @default 100 */
  readonly idlePollMs?: number
  /** How often relays look at how many they are and share the work anew. Milliseconds. @default 1000 */
  readonly balanceMs?: number
  /**
   * The longest the sender may take for one send, its own retries included. Not shorter than what the sender says of itself.
   * Milliseconds. @default the sender's `sendTimeoutMs`, which for Kafka is twice its `deliveryTimeoutMs`, or 60000
   */
  readonly sendTimeoutMs?: number
  /**
   * A relay that shows no sign of life for this long loses its share to the others. It must be longer than
   * `sendTimeoutMs`, or a relay that merely waits for the broker would lose it. Milliseconds. @default sendTimeoutMs + 15000
   */
  readonly leaseMs?: number
  /** Waits between attempts during an outage, and for keys whose rows were not taken. @default 100 ms up to 5000 ms */
  readonly backoff?: Backoff
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Creates a relay: it sends what committed transactions left in the outbox, in commit order per topic and key, at
 * least once, with the same bytes on every attempt, and removes what was acknowledged.
 *
 * Any number of relays may run on one outbox, in one process or many: up to 16 share the work, the others stand by, and
 * the share of one that dies or freezes moves on. Rows that can never be sent (too large, an unknown topic) are set aside
 * and listed by {@link outboxSetAside}; later rows of the same topic and key wait behind them. In an outage everything
 * waits and nothing is set aside.
 *
 * @throws InvalidConfigurationError when a send can take longer than `sendTimeoutMs`, or that longer than the lease, or a number makes no sense.
 */
export function createRelay(options: RelayOptions): Relay {
  const { batchSize = 500, batchBytes = 8 * 1024 * 1024, busyPollMs = 2, idlePollMs = 100, balanceMs = 1000 } = options
  const sendersMs = sendTimeoutOf(options.sender)
  const { sendTimeoutMs = sendersMs ?? 60_000 } = options
  const { leaseMs = sendTimeoutMs + 15_000, backoff = { initialMs: 100, maxMs: 5000 } } = options
  for (const [name, value] of Object.entries({
    batchSize,
    batchBytes,
    busyPollMs,
    idlePollMs,
    balanceMs,
    sendTimeoutMs,
  }))
    if (!(value >= 1)) throw new InvalidConfigurationError(`${name} must be 1 or more, got ${value}`)
  if (sendersMs !== undefined && sendTimeoutMs < sendersMs)
    throw new InvalidConfigurationError(
      `sendTimeoutMs (${sendTimeoutMs}) must not be shorter than what the sender may take for one send, ${sendersMs} ms: the relay's lease would run out while the sender still tries, and another relay would send the same rows. Leave it out, or shorten the sender's own timeout.`,
    )
  if (!(leaseMs > sendTimeoutMs))
    throw new InvalidConfigurationError(
      `leaseMs (${leaseMs}) must be longer than sendTimeoutMs (${sendTimeoutMs}): a relay that waits for the broker would lose its share meanwhile, and another would send the same rows`,
    )
  const longestWaitMs = Math.max(idlePollMs, balanceMs, (backoff.maxMs ?? 30_000) * 1.5)
  if (!(leaseMs > longestWaitMs))
    throw new InvalidConfigurationError(
      `leaseMs (${leaseMs}) must be longer than the relay's own waits (up to ${longestWaitMs} ms by idlePollMs, balanceMs and backoff)`,
    )
  return new PostgresRelay(options, { batchSize, batchBytes, busyPollMs, idlePollMs, balanceMs, leaseMs, backoff })
}

/** What a sender says of itself: Kafka's does, others may. */
function sendTimeoutOf(sender: Sender): number | undefined {
  return 'sendTimeoutMs' in sender && typeof sender.sendTimeoutMs === 'number' ? sender.sendTimeoutMs : undefined
}

interface Limits {
  readonly batchSize: number
  readonly batchBytes: number
  readonly busyPollMs: number
  readonly idlePollMs: number
  readonly balanceMs: number
  readonly leaseMs: number
  readonly backoff: Backoff
}

class PostgresRelay implements Relay {
  readonly #sql: Sql
  readonly #relay: OutboxRelay
  readonly #stopListening: () => void

  constructor({ sql, sender, outbox, ...rest }: RelayOptions, { leaseMs, ...limits }: Limits) {
    const { clock = systemClock, logger = consoleLogger, random = Math.random } = rest
    this.#sql = sql
    this.#relay = new OutboxRelay({
      sessions: new PostgresRelaySessions(sql, leaseMs),
      sender,
      ...limits,
      clock,
      logger,
      random,
    })
    this.#stopListening = outbox?.onAppend(() => this.#relay.nudge()) ?? (() => {})
  }

  start(): Promise<void> {
    return this.#relay.start()
  }

  async close(deadlineMs = 10_000): Promise<void> {
    this.#stopListening()
    await this.#relay.close(deadlineMs)
  }

  health(): RelayHealth {
    return this.#relay.health()
  }

  nudge(): void {
    this.#relay.nudge()
  }

  async stats(): Promise<RelayStats> {
    const { rows } = await this.#sql.query(depth)
    const [row] = rows
    return {
      relayed: this.#relay.relayed,
      buckets: this.#relay.buckets,
      depth: Number(row?.depth ?? 0),
      oldestWaitingMs: Math.max(0, Number(row?.oldest_ms ?? 0)),
      setAside: Number(row?.set_aside ?? 0),
    }
  }
}

const depth = `select count(*)::int4 as depth,
  extract(epoch from clock_timestamp() - min(created_at))::float8 * 1000 as oldest_ms,
  (select count(*) from evtkit_outbox_set_aside where error_code is not null)::int4 as set_aside
from evtkit_outbox`
