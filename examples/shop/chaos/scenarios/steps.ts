import { defineScenario } from '../scenario.ts'

const crashWithinMs = 20_000

/** Steps at which a process can be told to crash, and the services that come by them. */
const steps = [
  { step: 'relay.claimed', programs: ['orders', 'inventory', 'carts'] },
  { step: 'relay.sent', programs: ['orders', 'payments', 'carts'] },
  { step: 'relay.deleted', programs: ['orders', 'shipping', 'carts'] },
  { step: 'inbox.noted', programs: ['orders', 'inventory', 'cart-mirror'] },
  { step: 'inbox.handled', programs: ['orders', 'shipping', 'cart-mirror'] },
  { step: 'inbox.committed', programs: ['orders', 'inventory', 'cart-mirror'] },
] as const

export const crashAtEachStep = defineScenario({
  name: 'crash-at-each-step',
  faults: ['F1'],
  about: 'services crash right after each step of relay and inbox, and are started again',
  boundMs: 60_000,
  draw: (dice) => ({
    crashes: dice.some(steps).map(({ step, programs }) => ({ step, name: dice.pick(programs), at: dice.whole(1, 3) })),
  }),
  async run(conditions, { crashes }) {
    for (const { step, name, at } of crashes) {
      const program = conditions.world.program(name)
      await program.end('SIGTERM')
      const strike = await conditions.strike(`crash after ${step}`, name)
      program.start({ EVTKIT_FAILPOINTS: `${step}=crash@${at}` })
      program.expectEnd()
      const exit = await program.whenGone(crashWithinMs)
      if (exit === undefined) await program.end('SIGKILL')
      program.start()
      await strike.heal(exit?.signal === 'SIGKILL' ? 1 : 0)
      await conditions.until(30_000, async () => (await program.unreadiness()) === undefined)
    }
  },
})
