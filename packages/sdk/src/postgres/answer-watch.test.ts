import { expect, test } from 'vitest'
import { AnswerWatch, type AskServer, type Owed } from './answer-watch.ts'

class Connection implements Owed {
  silentMs = 0
  givenUp: Error | undefined
  readonly processId: number | undefined
  constructor(processId?: number) {
    this.processId = processId
  }
  stillWorking() {
    this.silentMs = 0
  }
  giveUp(reason: Error) {
    this.givenUp = reason
  }
}

const watching = (ask: AskServer, ...connections: Connection[]) => {
  const watch = new AnswerWatch(1000, ask)
  for (const connection of connections) watch.add(connection)
  return watch
}

test('a server is asked about silent connections alone, all at once; those it works for go on', async () => {
  const asked: (readonly number[])[] = []
  const [quiet, working, lost] = [new Connection(1), new Connection(2), new Connection(3)]
  working.silentMs = 1000
  lost.silentMs = 2000
  const watch = watching(
    async (processIds) => {
      asked.push(processIds)
      return new Set([2])
    },
    quiet,
    working,
    lost,
  )
  await watch.look()
  expect(asked).toEqual([[2, 3]])
  expect([quiet, working, lost].map(({ givenUp }) => givenUp?.message)).toEqual([
    undefined,
    undefined,
    'no answer for 2000 ms',
  ])
  expect(working.silentMs).toBe(0)
  watch.close()
})

test('a server that cannot be asked gives up every silent connection', async () => {
  const silent = new Connection(1)
  silent.silentMs = 1000
  const watch = watching(() => Promise.reject(new Error('no answer either')), silent)
  await watch.look()
  expect(silent.givenUp).toBeDefined()
  watch.close()
})

test('an answer that comes while the server is asked saves the connection', async () => {
  const late = new Connection(1)
  late.silentMs = 1000
  const watch = watching(async () => {
    late.silentMs = 0
    return new Set()
  }, late)
  await watch.look()
  expect(late.givenUp).toBeUndefined()
  watch.close()
})

test('nobody is asked twice at once, nor about connections that are gone', async () => {
  let asked = 0
  const [first, gone] = [new Connection(1), new Connection(2)]
  first.silentMs = gone.silentMs = 1000
  const watch = watching(
    async (processIds) => {
      asked++
      return new Set(processIds)
    },
    first,
    gone,
  )
  watch.remove(gone)
  await Promise.all([watch.look(), watch.look()])
  expect(asked).toBe(1)
  watch.remove(first)
  await watch.look()
  expect(asked).toBe(1)
})
