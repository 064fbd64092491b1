/** An event and its delivery, for tests that call a handler without a consumer. */
import type { Context, Envelope } from '@evtkit/sdk'
import { textMessage } from './recording-sender.ts'

export function eventOf(eventId: string): Envelope<'OrderCreated', { readonly sku: string }> {
  return {
    eventId,
    eventType: 'OrderCreated',
    eventVersion: 'v1',
    timestamp: '2026-01-02T03:04:05.000Z',
    source: 'orders',
    correlationId: 'c',
    causationId: null,
    data: { sku: 'hot' },
    metadata: {},
  }
}

export function contextOf(group = 'inventory', signal: AbortSignal = new AbortController().signal): Context {
  return {
    delivery: {
      message: textMessage('hot', '{}'),
      partition: 0,
      offset: 0n,
      group,
      attempt: 1,
      replay: null,
    },
    group,
    signal,
  }
}
