import { defineScenario } from '../scenario.ts'
import { consumers, workers } from '../world/world.ts'

const readyWithinMs = 30_000

export const membersComeAndGo = defineScenario({
  name: 'members-come-and-go',
  faults: ['F22'],
  about:
    'second processes of a service join its group and leave it again, in good order or by a kill, one after the other',
  boundMs: 60_000,
  draw: (dice) => ({
    comings: Array.from({ length: 5 }, () => ({
      name: dice.pick(consumers),
      staysMs: dice.whole(500, 2000),
      leaves: dice.pick(['SIGTERM', 'SIGKILL'] as const),
    })),
  }),
  async run(conditions, { comings }) {
    for (const { name, staysMs, leaves } of comings) {
      const second = await conditions.world.second(name)
      const strike = await conditions.strike(`joins and leaves by ${leaves}`, name)
      second.start()
      try {
        await conditions.until(readyWithinMs, async () => (await second.unreadiness()) === undefined)
        await conditions.pause(staysMs)
      } finally {
        await second.end(leaves)
        conditions.world.dismiss(second.name)
      }
      await strike.heal()
    }
  },
})

export const twoOfEverything = defineScenario({
  name: 'two-of-everything',
  faults: ['F35'],
  about: 'every service runs twice, relay, consumer and all, and then once again',
  boundMs: 60_000,
  draw: (dice) => ({ togetherMs: dice.whole(4000, 7000), leaves: dice.pick(['SIGTERM', 'SIGKILL'] as const) }),
  async run(conditions, { togetherMs, leaves }) {
    const seconds = await Promise.all(workers.map((name) => conditions.world.second(name)))
    const strike = await conditions.strike('started twice', 'all services')
    try {
      for (const second of seconds) second.start()
      await conditions.until(readyWithinMs, async () => (await conditions.world.unready(0)) === undefined)
      await conditions.pause(togetherMs)
    } finally {
      await Promise.all(seconds.map((second) => second.end(leaves)))
      for (const { name } of seconds) conditions.world.dismiss(name)
    }
    await strike.heal()
  },
})
