import type { Envelope } from '@evtkit/sdk'

/** An event about an order, whatever else it says. */
export type AboutOrder = Envelope<string, { readonly orderId: string }>

/** Whether an event is about an order; others are about an account, a product or a cart. */
export function isAboutOrder(event: Envelope): event is AboutOrder {
  const { data } = event
  return typeof data === 'object' && data !== null && 'orderId' in data && typeof data.orderId === 'string'
}
