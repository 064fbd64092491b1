import { defineScenario } from '../scenario.ts'

export const connectionsHalfOpen = defineScenario({
  name: 'connections-half-open',
  faults: ['F11'],
  about:
    'nothing passes on the connections to the database, then to the broker, and nobody is told; afterwards they are reset',
  boundMs: 90_000,
  draw: (dice) => ({ databaseMs: dice.whole(8000, 14_000), brokerMs: dice.whole(8000, 14_000) }),
  async run(conditions, { databaseMs, brokerMs }) {
    const { link, kafka } = conditions.world
    const database = await conditions.strike('connections silent', 'postgres')
    const silenced = link.goSilent({ newOnesToo: true })
    try {
      await conditions.pause(databaseMs)
    } finally {
      link.heal()
    }
    await database.heal(silenced)
    await conditions.pause(2000)

    const broker = await conditions.strike('connections silent', 'kafka')
    kafka.proxy?.blackhole()
    const held = kafka.proxy?.connections
    try {
      await conditions.pause(brokerMs)
    } finally {
      kafka.proxy?.heal()
    }
    await broker.heal(held ?? 0)
  },
})
