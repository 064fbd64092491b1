import type { RawMessage, Sender } from '@evtkit/sdk'
import { createRelay } from '@evtkit/sdk/outbox'
import type { BenchmarkCase, Sample } from '../case.ts'
import { startMeasuring } from '../cpu.ts'
import { fillOutbox, fillPeerOutbox, OrderPlaced, type OutboxWorld } from './outbox-world.ts'

const batchSize = 500

/** Emptying a full outbox into a sender that does nothing. */
export function outboxDrain(world: OutboxWorld, rows: number): BenchmarkCase {
  return {
    name: 'outbox/drain',
    contenders: [
      { name: 'raw SKIP LOCKED loop', run: () => drainPlainly(world, rows) },
      {
        name: 'relay',
        async run() {
          await fillOutbox(world, OrderPlaced, rows)
          return drainByRelay(world, rows, { send: async () => {} })
        },
      },
    ],
    targets: [{ contender: 'relay', measure: 'ratio', atLeast: 0.9 }],
  }
}

/** From the start of a relay until the last row was sent and removed. */
export async function drainByRelay(world: OutboxWorld, expected: number, sender: Sender): Promise<Sample> {
  const counting = countMessages(sender, expected)
  const relay = createRelay({ sql: world.sql, sender: counting, batchSize })
  const measured = startMeasuring()
  await relay.start()
  await counting.all
  await relay.close()
  const spent = measured()
  const { depth, setAside } = await relay.stats()
  if (depth + setAside > 0) throw new Error(`${depth} rows are left in the outbox and ${setAside} were set aside`)
  return { messages: expected, ...spent }
}

async function drainPlainly(world: OutboxWorld, rows: number): Promise<Sample> {
  await fillPeerOutbox(world, rows)
  const client = await world.pool.connect()
  try {
    const measured = startMeasuring()
    let drained = 0
    while (drained < rows) {
      await client.query('BEGIN')
      const batch = await client.query<{ id: string }>(
        `select id, topic, key, payload, headers from peer_outbox order by id limit ${batchSize} for update skip locked`,
      )
      await client.query('delete from peer_outbox where id = any($1)', [batch.rows.map(({ id }) => id)])
      await client.query('COMMIT')
      drained += batch.rows.length
    }
    return { messages: drained, ...measured() }
  } finally {
    client.release()
  }
}

/** Passes messages on and tells when the last of them was acknowledged. */
function countMessages(sender: Sender, expected: number): Sender & { readonly all: Promise<void> } {
  let done: () => void
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  let left = expected
  return {
    all,
    async send(messages: readonly RawMessage[]) {
      await sender.send(messages)
      left -= messages.length
      if (left <= 0) done()
    },
  }
}
