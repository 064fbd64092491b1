import { NotificationSent } from '../contracts/index.ts'
import type { Books, Discrepancy } from './books.ts'
import { factsOf } from './facts-of.ts'

/** Every mail that was announced has arrived, and no other, counted by Message-ID. */
export function checkMails({ facts, mails }: Books): Discrepancy[] {
  const arrived = new Map(mails.map((mail) => [mail.messageId, mail.orderId]))
  const found: Discrepancy[] = []
  for (const { data } of factsOf(facts, NotificationSent)) {
    if (!arrived.delete(data.messageId))
      found.push({ about: `order ${data.orderId}`, message: `its mail ${data.messageId} did not arrive` })
  }
  for (const [messageId, orderId] of arrived)
    found.push({ about: `order ${orderId}`, message: `a mail arrived (${messageId}) without NotificationSent` })
  return found
}
