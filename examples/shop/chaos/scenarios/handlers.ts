import type { Kafka } from 'kafkajs'
import { isBusy } from '../live-work.ts'
import { defineScenario } from '../scenario.ts'

export const handlerOutlivesSession = defineScenario({
  name: 'handler-outlives-session',
  faults: ['F24'],
  about:
    'handlers wait for the payment provider for longer than a session lasts; the service keeps its partitions meanwhile',
  boundMs: 60_000,
  draw: (dice) => ({ waitMs: dice.whole(9000, 13_000) }),
  async run(conditions, { waitMs }) {
    const { world } = conditions
    const payments = world.program('payments')
    const provider = world.program('payment-provider')
    await payments.end('SIGTERM')
    // It asks patiently this time, so that one call outlives the session of six seconds.
    payments.start({ SHOP_PAYMENT_TIMEOUT_MS: '25000' })
    await conditions.until(30_000, async () => (await payments.unreadiness()) === undefined)
    const before = await memberIds(world.gauge.kafka, 'payments')
    const strike = await conditions.strike('provider silent', 'payments')
    provider.signal('SIGSTOP')
    try {
      await conditions.pause(waitMs)
    } finally {
      provider.signal('SIGCONT')
    }
    const after = await memberIds(world.gauge.kafka, 'payments')
    if (before.join() !== after.join())
      conditions.broken(
        `while its handlers waited, payments was member ${before.join()} of its group and became ${after.join()}`,
      )
    await strike.heal()
    await conditions.until(60_000, async () => ((await world.gauge.lag(['payments']))?.payments ?? 1) === 0)
    await payments.end('SIGTERM')
    payments.start()
  },
})

export const endWithHungHandler = defineScenario({
  name: 'end-with-hung-handler',
  faults: ['F4'],
  about:
    'a service is told to end while a handler hangs for good: it ends by its deadline, not with 0, and the event comes again',
  boundMs: 60_000,
  draw: (dice) => ({ name: dice.pick(['inventory', 'shipping', 'cart-mirror'] as const) }),
  async run(conditions, { name }) {
    const program = conditions.world.program(name)
    await program.end('SIGTERM')
    program.start({ EVTKIT_FAILPOINTS: 'inbox.handled=hang' })
    await conditions.until(
      30_000,
      async () => isBusy(await conditions.workOf(name)) && (await program.unreadiness()) === undefined,
    )
    await conditions.pause(2000)
    const strike = await conditions.strike('told to end with a hung handler', name)
    const exit = await program.end('SIGTERM', 25_000)
    if (exit === undefined || exit.signal !== null || exit.code === 0)
      conditions.broken(
        `${name} was told to end while a handler hung and ended with ${exit?.signal ?? `exit code ${exit?.code}`}, expected a code above 0 within 25 s`,
      )
    program.start()
    await strike.heal()
  },
})

async function memberIds(kafka: Kafka, group: string): Promise<string[]> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const { groups } = await admin.describeGroups([group])
    return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId)).sort()
  } finally {
    await admin.disconnect()
  }
}
