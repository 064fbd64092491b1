import { API_KEYS } from '@evtkit/local-stack'
import { defineScenario } from '../scenario.ts'

/** Longest wait until a fault has struck as often as it should. Milliseconds. */
const struckWithinMs = 25_000

export const produceAnswerLost = defineScenario({
  name: 'produce-answer-lost',
  faults: ['F9'],
  about: 'the broker writes what it is sent, and its answers are lost, once by silence and once with the connection',
  boundMs: 60_000,
  draw: (dice) => ({ silent: dice.whole(2, 4), cut: dice.whole(3, 6) }),
  async run(conditions, { silent, cut }) {
    const { proxy } = conditions.world.kafka
    if (proxy === undefined) throw new Error('the broker has no proxy')
    const first = await conditions.strike('answers cut off', 'kafka')
    const cuts = proxy.closeOnResponse(API_KEYS.Produce, { times: cut })
    await conditions.until(struckWithinMs, () => cuts.fired >= cut)
    cuts.remove()
    await first.heal(cuts.fired)
    const second = await conditions.strike('answers lost', 'kafka')
    const drops = proxy.dropResponse(API_KEYS.Produce, { times: silent })
    await conditions.until(struckWithinMs, () => drops.fired >= silent)
    drops.remove()
    await second.heal(drops.fired)
  },
})

export const offsetCommitLost = defineScenario({
  name: 'offset-commit-lost',
  faults: ['F10'],
  about: 'commits of offsets are carried out unheard, cut off, never arrive, or are slow',
  boundMs: 60_000,
  draw: (dice) => ({
    lost: dice.whole(2, 4),
    cut: dice.whole(3, 6),
    swallowed: dice.whole(1, 3),
    slowMs: dice.whole(1000, 3000),
  }),
  async run(conditions, { lost, cut, swallowed, slowMs }) {
    const { proxy } = conditions.world.kafka
    if (proxy === undefined) throw new Error('the broker has no proxy')
    const { OffsetCommit } = API_KEYS
    const faults = [
      ['answers lost', () => proxy.dropResponse(OffsetCommit, { times: lost })],
      ['answers cut off', () => proxy.closeOnResponse(OffsetCommit, { times: cut })],
      ['requests swallowed', () => proxy.dropRequest(OffsetCommit, { times: swallowed })],
      ['answers slow', () => proxy.delayResponse(OffsetCommit, slowMs, { times: 4 })],
    ] as const
    for (const [what, begin] of faults) {
      const strike = await conditions.strike(what, 'offset commits')
      const fault = begin()
      await conditions.until(struckWithinMs, () => fault.fired > 0)
      await conditions.pause(2000)
      fault.remove()
      await strike.heal(fault.fired)
    }
  },
})

export const commitAnswerLost = defineScenario({
  name: 'database-commit-answer-lost',
  faults: ['F16'],
  about: 'transactions are committed, and the connection is lost before anybody hears of it',
  boundMs: 60_000,
  draw: (dice) => ({ times: dice.whole(10, 30) }),
  async run(conditions, { times }) {
    const { link } = conditions.world
    const before = link.lostCommitAnswers
    const strike = await conditions.strike('answers of COMMIT lost', 'postgres')
    link.loseCommitAnswers(times)
    await conditions.until(struckWithinMs, () => link.lostCommitAnswers - before >= times)
    link.heal()
    await strike.heal(link.lostCommitAnswers - before)
  },
})
