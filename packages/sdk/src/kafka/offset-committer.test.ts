import { expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { OffsetCommitter } from './offset-committer.ts'

/** A committer whose commits are answered one by one. */
function stage() {
  const clock = createManualClock()
  const sent: string[] = []
  const open: { answer(): void; fail(): void }[] = []
  const committer = new OffsetCommitter({ clock, logger: silentLogger, intervalMs: 1000, lost: () => {} })
  const commit = (positions: readonly { readonly offset: bigint }[]) => {
    sent.push(positions.map(({ offset }) => offset).join(' '))
    return new Promise<void>((resolve, reject) => {
      open.push({ answer: resolve, fail: () => reject(new Error('away')) })
    })
  }
  const mark = (offset: bigint) => committer.mark({ topic: 't', partition: 0, offset })
  return { clock, sent, open, committer, commit, mark }
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
