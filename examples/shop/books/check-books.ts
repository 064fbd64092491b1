import type { Books, Discrepancy } from './books.ts'
import { checkMails } from './check-mails.ts'
import { checkMoney } from './check-money.ts'
import { checkOrders } from './check-orders.ts'
import { checkStock } from './check-stock.ts'

/** Whether all orders have ended, and stock, money and mails agree with the events. Empty when they do. */
export function checkBooks(books: Books): Discrepancy[] {
  return [...checkOrders(books), ...checkStock(books), ...checkMoney(books), ...checkMails(books)]
}
