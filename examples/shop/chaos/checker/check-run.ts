import type { BookFact, Discrepancy } from '../../books/books.ts'
import { checkMails } from '../../books/check-mails.ts'
import { checkMoney } from '../../books/check-money.ts'
import { checkStock } from '../../books/check-stock.ts'
import type { HistoryEvent } from '../history.ts'
import { checkCarts } from './check-carts.ts'
import { checkDeadLetters } from './check-dead-letters.ts'
import { checkFaults } from './check-faults.ts'
import { checkGroups } from './check-groups.ts'
import { checkLog } from './check-log.ts'
import { checkOrders } from './check-orders.ts'
import type { Evidence } from './evidence.ts'
import type { Finding } from './finding.ts'
import { Ledger } from './ledger.ts'

/** Judges a run by its history and by what it left behind. Empty when every promise was kept. */
export function checkRun(evidence: Evidence, history: readonly HistoryEvent[]): Finding[] {
  const ledger = new Ledger(history)
  return [
    ...checkFaults(ledger),
    ...checkOrders(evidence, ledger),
    ...checkCarts(evidence, ledger),
    ...checkLog(evidence, ledger),
    ...checkGroups(evidence, ledger),
    ...checkDeadLetters(evidence, ledger),
    ...checkConserved(evidence).map(({ about, message }) => ({
      kind: 'books' as const,
      about,
      message,
      scenario: undefined,
    })),
  ]
}

/** Money, stock and mails agree with the events. */
function checkConserved({ records, orders, stock, charges, mails }: Evidence): Discrepancy[] {
  const facts = new Map<string, BookFact>()
  for (const { event } of records)
    if (event?.fact !== undefined && typeof event.fact.data.orderId === 'string' && !facts.has(event.eventId))
      facts.set(event.eventId, event.fact)
  const books = {
    orders: orders.map(({ orderId, status, amount }) => ({ orderId, status, total: { amount, currency: 'EUR' } })),
    facts: [...facts.values()],
    stock,
    charges,
    mails,
  }
  return [...checkStock(books), ...checkMoney(books), ...checkMails(books)]
}
