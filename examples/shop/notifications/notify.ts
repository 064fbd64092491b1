import type { Context, Envelope, Producer } from '@evtkit/sdk'
import type { Inbox } from '@evtkit/sdk/inbox'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Queryable, Sql, Tx } from '@evtkit/sdk/postgres'
import { NotificationSent } from '../contracts/index.ts'
import type { Mail } from './mail.ts'
import type { Mailer } from './mailer.ts'

export interface NotifyOptions {
  readonly sql: Sql
  readonly inbox: Inbox<Tx>
  readonly outbox: Outbox<Tx>
  readonly producer: Producer
  readonly mailer: Mailer
}

/** Sends the mail an event calls for, then says so. */
export async function notify(options: NotifyOptions, event: Envelope, context: Context, mail: Mail): Promise<void> {
  const { sql, inbox, outbox, producer, mailer } = options
  // Outside the transaction, like every call to the outside: at least once, with an identity that makes a repeat harmless.
  if (!(await isSent(sql, mail))) await mailer.send(mail)
  const record = inbox.once(async (cause, { tx }) => {
    const { orderId, template, messageId } = mail
    const inserted = await tx.query(
      `insert into notifications (message_id, order_id, template, email) values ($1, $2, $3, $4)
       on conflict (message_id) do nothing`,
      [messageId, orderId, template, mail.to],
    )
    if (inserted.rowCount === 1)
      await producer
        .causedBy(cause)
        .through(outbox.in(tx))
        .publish(NotificationSent, { subjectId: orderId, orderId, template, channel: 'EMAIL', messageId })
  })
  await record(event, context)
}

async function isSent(sql: Queryable, { messageId }: Mail): Promise<boolean> {
  const { rows } = await sql.query('select 1 from notifications where message_id = $1', [messageId])
  return rows.length > 0
}
