import type { Sender } from '../core/transport.ts'

/** Keeps what is to be sent in the transaction of the change it tells about, until a {@link Relay} has sent it. */
export interface Outbox<Transaction> {
  /**
   * A sender whose messages are part of `tx`: they are sent after it commits, and never when it does not.
   * Messages of one topic and key are sent in the order in which their transactions commit; to keep that order, a
   * transaction that sends with a key makes others that send with the same key wait until it ends.
   *
   * @example
   * await sql.transaction(async (tx) => {
   *   await tx.query('insert into orders (id) values ($1)', [order.orderId])
   *   await producer.through(outbox.in(tx)).publish(OrderCreated, order)
   * })
   *
   * @throws NotATransactionError for anything that is not an open transaction.
   */
  in(tx: Transaction): Sender
  /** Calls back whenever a transaction that sent something has committed in this process; returns what ends that. */
  onAppend(listener: () => void): () => void
}
