import {
  type Consumer,
  closeInOrder,
  createConsumer,
  createProducer,
  type EventDefinition,
  type Producer,
} from '@evtkit/sdk'
import { createDeadLetters, createParking } from '@evtkit/sdk/dead-letters'
import { createEffects, type Effects } from '@evtkit/sdk/effects'
import { createInbox, type Inbox } from '@evtkit/sdk/inbox'
import { createOutbox, createRelay, type Outbox } from '@evtkit/sdk/outbox'
import type { Tx } from '@evtkit/sdk/postgres'
import { allEvents } from '../contracts/index.ts'
import type { ServicePlatform } from './platform.ts'
import type { PartName, RunningService } from './service.ts'

/**
 * Where a service meets the others: facts come in by the consumer and its inbox, and go out by the outbox of the
 * transaction that made them true.
 */
export interface Edges extends RunningService {
  readonly consumer: Consumer
  readonly inbox: Inbox<Tx>
  /** For handlers that call the outside world. */
  readonly effects: Effects<Tx>
  readonly outbox: Outbox<Tx>
  /** To be sent through `outbox.in(tx)`, never by itself. */
  readonly producer: Producer
}

export interface EdgesOptions {
  /** Its consumer group. */
  readonly group: PartName
  /** How it names itself in the events it publishes. */
  readonly source: string
  /** Handlers running at once. Worth raising where handlers wait for the outside world. @default 16 */
  readonly concurrency?: number
}

export function createEdges(platform: ServicePlatform, { group, source: own, concurrency = 16 }: EdgesOptions): Edges {
  const { sql, sender, source, codec, logger, clock } = platform
  const outbox = createOutbox()
  const relay = createRelay({ sql, sender, outbox, logger, clock })
  const consumer = createConsumer({
    source,
    group,
    rejected: createDeadLetters({ sql, clock }).rejected,
    // An order that fails waits by itself, in its order, and the others go on.
    failed: createParking({ sql, retry: { initialMs: 1000, maxMs: 60_000 } }),
    catalogue: allEvents,
    concurrency,
    codec,
    logger,
    clock,
  })
  const inbox = createInbox({ sql })
  platform.http.get('/stats', async () => inbox.stats())
  const handles: EventDefinition[] = []
  return {
    consumer: noting(consumer, handles),
    handles,
    inbox,
    effects: createEffects({ sql, inbox, clock }),
    outbox,
    producer: createProducer({ sender, source: own, codec, clock }),
    async start() {
      await relay.start()
      await consumer.start()
    },
    // First the consumer: what its last handlers promise is then still carried out by the relay.
    close: (deadlineMs) => closeInOrder({ consumer, relay }, deadlineMs, { clock }),
    health() {
      return [
        { piece: 'consumer', ...consumer.health() },
        { piece: 'relay', ...relay.health() },
      ]
    },
  }
}

/** The same consumer, which notes what it is given handlers for. */
function noting(consumer: Consumer, handles: EventDefinition[]): Consumer {
  const self: Consumer = {
    on(event, handler, options) {
      consumer.on(event, handler, options)
      handles.push(event)
      return self
    },
    use(middleware) {
      consumer.use(middleware)
      return self
    },
    start: () => consumer.start(),
    close: (deadlineMs) => consumer.close(deadlineMs),
    health: () => consumer.health(),
  }
  return self
}
