import type { Envelope, Handler, Producer } from '@evtkit/sdk'
import type { Effects } from '@evtkit/sdk/effects'
import type { Outbox } from '@evtkit/sdk/outbox'
import type { Tx } from '@evtkit/sdk/postgres'
import { NotificationSent } from '../contracts/index.ts'
import type { Mail } from './mail.ts'
import type { Mailer } from './mailer.ts'

export interface NotifyOptions {
  readonly effects: Effects<Tx>
  readonly outbox: Outbox<Tx>
  readonly producer: Producer
  readonly mailer: Mailer
}

/** Sends the mail an event calls for, then says so. The mail's identity comes from the event, which makes a repeat harmless. */
export function notify<Type extends string, Data>(
  { effects, outbox, producer, mailer }: NotifyOptions,
  mailOf: (event: Envelope<Type, Data>) => Mail,
): Handler<Type, Data> {
  return effects.once<Type, Data, void>({
    call: (event) => mailer.send(mailOf(event)),
    record: async (event, { tx }) => {
      const { orderId, template, messageId, to } = mailOf(event)
      const inserted = await tx.query(
        `insert into notifications (message_id, order_id, template, email) values ($1, $2, $3, $4)
         on conflict (message_id) do nothing`,
        [messageId, orderId, template, to],
      )
      if (inserted.rowCount === 1)
        await producer
          .causedBy(event)
          .through(outbox.in(tx))
          .publish(NotificationSent, { subjectId: orderId, orderId, template, channel: 'EMAIL', messageId })
    },
  })
}
