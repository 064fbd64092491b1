import { expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { OffsetCommitter } from './offset-committer.ts'

/** A committer whose commits are answered one by one. */
function stage() {
  const clock = createManualClock()
  const sent: string[] = []
  const open: { answer(): void; fail(): void }[] = []
  const told: string[] = []
  const tell = (_fields: object, text: string) => void told.push(text.slice(0, 35))
  const logger = { ...silentLogger, warn: tell, info: tell }
  const committer = new OffsetCommitter({ clock, logger, intervalMs: 1000, lost: () => {} })
  const commit = (positions: readonly { readonly offset: bigint }[]) => {
    sent.push(positions.map(({ offset }) => offset).join(' '))
    return new Promise<void>((resolve, reject) => {
      open.push({ answer: resolve, fail: () => reject(new Error('away')) })
    })
  }
  const mark = (offset: bigint) => committer.mark({ topic: 't', partition: 0, offset })
  return { clock, sent, told, open, committer, commit, mark }
}

const turn = () => new Promise(setImmediate)

test('each of several flushes resolves only when everything was answered', async () => {
  const { sent, open, committer, commit, mark } = stage()
  committer.by(commit)
  mark(1n)
  const resolved: string[] = []
  const first = committer.flush().then(() => resolved.push('first'))
  const second = committer.flush().then(() => resolved.push('second'))
  const third = committer.flush().then(() => resolved.push('third'))
  mark(2n)
  open[0]?.answer()
  await turn()
  expect(sent).toEqual(['1', '2'])
  expect(resolved).toEqual([])
  open[1]?.answer()
  await Promise.all([first, second, third])
  expect(sent).toEqual(['1', '2'])
})

test('a flush whose commit fails resolves, and leaves the rest to the timer', async () => {
  const { clock, sent, open, committer, commit, mark } = stage()
  committer.by(commit)
  mark(1n)
  const flushed = committer.flush()
  open[0]?.fail()
  await flushed
  expect(sent).toEqual(['1'])
  await clock.advance(1000)
  expect(sent).toEqual(['1', '1'])
})

test('what was moved before anything could be committed is committed as soon as it can', async () => {
  const { clock, sent, committer, commit } = stage()
  committer.move({ topic: 't', partition: 0, offset: 7n })
  await committer.flush()
  committer.by(commit)
  await clock.advance(0)
  expect(sent).toEqual(['7'])
})

test('while commits fail for minutes they are sent seldom and told of seldom, and at once again when they are answered', async () => {
  const { clock, sent, told, open, committer, mark } = stage()
  let failing = true
  committer.by(async (positions) => {
    sent.push(positions.map(({ offset }) => offset).join(' '))
    if (failing) throw new Error('away')
  })
  for (let second = 0; second < 300; second++) {
    mark(BigInt(second + 1))
    await clock.advance(1000)
  }
  expect(sent.length).toBeLessThan(40)
  expect(told.length).toBeLessThan(7)
  failing = false
  await clock.advance(10_000)
  expect([sent.at(-1), told.at(-1)]).toEqual(['300', 'offset commits are answered again'])
  const before = sent.length
  mark(301n)
  await clock.advance(1000)
  expect(sent.slice(before)).toEqual(['301'])
  expect(open).toEqual([])
})
