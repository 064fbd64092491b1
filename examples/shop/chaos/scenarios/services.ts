import { defineScenario } from '../scenario.ts'
import { consumers, workers } from '../world/world.ts'

/** How long a service may take to end in an orderly way. Milliseconds. */
const graceMs = 20_000

export const servicesKilled = defineScenario({
  name: 'services-killed',
  faults: ['F2'],
  about: 'services are killed one after the other while they have work on their hands, and started again',
  boundMs: 60_000,
  draw: (dice) => ({ victims: dice.some([...workers, 'gateway'] as const, 4) }),
  async run(conditions, { victims }) {
    const { world } = conditions
    for (const name of victims) {
      const program = world.program(name)
      const held = await conditions.freezeAtWork(program, name)
      const positions = await world.gauge.positions(consumers.filter((consumer) => consumer === name))
      const strike = await conditions.strike('killed', name, { live: held, positions: positions ?? {} })
      await program.end('SIGKILL')
      program.start()
      await strike.heal()
      await conditions.until(30_000, async () => (await program.unreadiness()) === undefined)
    }
  },
})

export const servicesToldToEnd = defineScenario({
  name: 'services-told-to-end',
  faults: ['F3'],
  about: 'services get SIGTERM while they have work on their hands: they end in time, with exit code 0',
  boundMs: 60_000,
  draw: (dice) => ({ victims: dice.some([...workers, 'gateway'] as const, 4) }),
  async run(conditions, { victims }) {
    for (const name of victims) {
      const program = conditions.world.program(name)
      const held = await conditions.freezeAtWork(program, name)
      const strike = await conditions.strike('told to end', name, { live: held })
      const exit = await program.end('SIGTERM', graceMs)
      if (exit?.code !== 0)
        conditions.broken(
          `${name} was told to end and ended with ${exit?.signal ?? `exit code ${exit?.code}`}, expected exit code 0 within ${graceMs} ms`,
        )
      program.start()
      await strike.heal()
      await conditions.until(30_000, async () => (await program.unreadiness()) === undefined)
    }
  },
})

export const servicesFrozen = defineScenario({
  name: 'services-frozen',
  faults: ['F5'],
  about: 'services freeze for longer than their session and their lease, and thaw as if nothing had been',
  boundMs: 60_000,
  draw: (dice) => ({ victims: dice.some(workers, 2), frozenMs: dice.whole(8000, 12_000) }),
  async run(conditions, { victims, frozenMs }) {
    const strikes = []
    const programs = victims.map((name) => conditions.world.program(name))
    try {
      for (const [index, program] of programs.entries()) {
        const name = victims[index] ?? 'orders'
        const held = await conditions.freezeAtWork(program, name)
        strikes.push(await conditions.strike('frozen', name, { live: held }))
        program.signal('SIGSTOP')
      }
      await conditions.pause(frozenMs)
    } finally {
      for (const program of programs) program.signal('SIGCONT')
    }
    for (const strike of strikes) await strike.heal()
  },
})
