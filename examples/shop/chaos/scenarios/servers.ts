import type { Conditions } from '../conditions.ts'
import { defineScenario } from '../scenario.ts'

export const brokerKilled = defineScenario({
  name: 'broker-killed',
  faults: ['F6'],
  about: 'the broker is killed while records are on the way, and comes back on the same data',
  boundMs: 60_000,
  draw: (dice) => ({ downMs: dice.whole(200, 3000) }),
  async run(conditions, { downMs }) {
    const { kafka } = conditions.world
    const strike = await conditions.strike('broker killed', 'kafka')
    await kafka.kill('SIGKILL')
    await conditions.pause(downMs)
    await kafka.restart()
    await strike.heal()
  },
})

export const brokerFrozen = defineScenario({
  name: 'broker-frozen',
  faults: ['F7'],
  about: 'the broker freezes for longer than a session and a request may take, thaws, and freezes again',
  boundMs: 60_000,
  draw: (dice) => ({ frozenMs: [dice.whole(8000, 14_000), dice.whole(2000, 5000)] }),
  async run(conditions, { frozenMs }) {
    const { kafka } = conditions.world
    for (const ms of frozenMs) {
      const strike = await conditions.strike('broker frozen', 'kafka')
      await kafka.kill('SIGSTOP')
      try {
        await conditions.pause(ms)
      } finally {
        await kafka.kill('SIGCONT')
      }
      await strike.heal()
      await conditions.pause(1500)
    }
  },
})

export const databaseStopped = defineScenario({
  name: 'database-stopped',
  faults: ['F15'],
  about: 'PostgreSQL is stopped at once, as after a crash, and started again, several times',
  boundMs: 60_000,
  draw: (dice) => ({ downMs: Array.from({ length: dice.whole(2, 3) }, () => dice.whole(0, 2500)) }),
  async run(conditions, { downMs }) {
    for (const ms of downMs) {
      const strike = await conditions.strike('immediate stop', 'postgres')
      await stopDatabase(conditions)
      await conditions.pause(ms)
      await conditions.world.postgres.restart()
      await strike.heal()
      await conditions.pause(1500)
    }
  },
})

async function stopDatabase(conditions: Conditions): Promise<void> {
  const { postgres } = conditions.world
  await postgres.kill('SIGQUIT')
  await conditions.until(10_000, async () => !(await postgres.isAlive()))
}
