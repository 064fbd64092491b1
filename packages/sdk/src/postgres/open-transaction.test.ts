import { describe, expect, test, vi } from 'vitest'
import { gate } from '../../../../test/recording-sender.ts'
import type { Merge } from './merged-command.ts'
import { type Command, runTransaction, type TransactionDriver } from './open-transaction.ts'
import type { QueryResult } from './queryable.ts'
import type { Tx } from './tx.ts'

type Outcome = PromiseSettledResult<QueryResult>

/** Writes down each flush; texts with "bad" fail. */
class FakeDriver implements TransactionDriver {
  readonly flushes: string[][] = []
  #outcome(command: Command): Outcome {
    return command.text.includes('bad')
      ? { status: 'rejected', reason: new Error(`${command.text} failed`) }
      : { status: 'fulfilled', value: { rows: [{ text: command.text }], rowCount: 1 } }
  }
  async run(commands: readonly Command[]): Promise<readonly Outcome[]> {
    this.flushes.push(commands.map((command) => command.text))
    return commands.map((command) => this.#outcome(command))
  }
  async commit(commands: readonly Command[]): Promise<readonly Outcome[]> {
    this.flushes.push([...commands.map((command) => command.text), 'COMMIT'])
    return commands.map((command) => this.#outcome(command))
  }
  async rollback(): Promise<void> {
    this.flushes.push(['ROLLBACK'])
  }
}

describe('a transaction', () => {
  test('sends what nobody waits for together with the next statement, or with the commit', async () => {
    const driver = new FakeDriver()
    const result = await runTransaction(driver, async (tx) => {
      await tx.enqueue('a')
      const { rows } = await tx.query('b')
      await tx.enqueue('c')
      await tx.enqueue('d')
      return rows
    })
    expect(result).toEqual([{ text: 'b' }])
    expect(driver.flushes).toEqual([
      ['a', 'b'],
      ['c', 'd', 'COMMIT'],
    ])
  })

  test('fails with what a queued statement said, even where the error was caught', async () => {
    const driver = new FakeDriver()
    const work = runTransaction(driver, async (tx) => {
      await tx.enqueue('bad a', [], (error) => new Error('explained', { cause: error }))
      await tx.query('b').catch(() => {})
    })
    await expect(work).rejects.toThrow('explained')
    expect(driver.flushes).toEqual([['bad a', 'b'], ['ROLLBACK']])
  })

  test('fails with what a statement queued before the commit said', async () => {
    const driver = new FakeDriver()
    await expect(runTransaction(driver, (tx) => tx.enqueue('bad last'))).rejects.toThrow('bad last failed')
  })

  test('calls back after the commit was acknowledged, and not before', async () => {
    const committed = vi.fn()
    const driver = new FakeDriver()
    await runTransaction(driver, (tx) => {
      tx.onCommit(committed)
      expect(committed).not.toHaveBeenCalled()
    })
    expect(committed).toHaveBeenCalledOnce()
    await expect(
      runTransaction(driver, async (tx) => {
        tx.onCommit(committed)
        await tx.query('bad')
      }),
    ).rejects.toThrow('bad failed')
    expect(committed).toHaveBeenCalledOnce()
  })

  test('that is given up rolls back at once, and what its work does afterwards is refused', async () => {
    const driver = new FakeDriver()
    const controller = new AbortController()
    const stuck = gate()
    const afterwards: Promise<unknown>[] = []
    let handle: Tx | undefined
    const work = runTransaction(
      driver,
      async (tx) => {
        handle = tx
        await tx.query('a')
        controller.abort(new Error('given up'))
        await stuck.opened
        afterwards.push(tx.query('late'), tx.enqueue('late'))
        await Promise.allSettled(afterwards)
      },
      { signal: controller.signal },
    )
    await expect(work).rejects.toThrow('given up')
    expect(driver.flushes).toEqual([['a'], ['ROLLBACK']])
    stuck.open()
    await vi.waitFor(() => expect(afterwards.length).toBe(2))
    for (const late of afterwards) await expect(late).rejects.toMatchObject({ code: 'EVT_NOT_A_TRANSACTION' })
    expect(() => handle?.onCommit(() => {})).toThrow(/already ended/)
    expect(driver.flushes).toEqual([['a'], ['ROLLBACK']])
  })

  test('that was given up while its work finished does not commit', async () => {
    const driver = new FakeDriver()
    const controller = new AbortController()
    const work = runTransaction(
      driver,
      async (tx) => {
        await tx.query('a')
        controller.abort(new Error('given up'))
      },
      { signal: controller.signal },
    )
    await expect(work).rejects.toThrow('given up')
    expect(driver.flushes).toEqual([['a'], ['ROLLBACK']])
  })

  test('that was given up before it began runs nothing', async () => {
    const driver = new FakeDriver()
    const work = vi.fn()
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(runTransaction(driver, work, { signal })).rejects.toThrow('too late')
    expect(work).not.toHaveBeenCalled()
    expect(driver.flushes).toEqual([])
  })

  test('rolls back when its work throws before the first await', async () => {
    const driver = new FakeDriver()
    const work = () => {
      throw new Error('at once')
    }
    await expect(runTransaction(driver, work)).rejects.toThrow('at once')
    await expect(runTransaction(driver, work, { signal: new AbortController().signal })).rejects.toThrow('at once')
    expect(driver.flushes).toEqual([['ROLLBACK'], ['ROLLBACK']])
  })

  test('sends statements that are asked for at once together', async () => {
    const driver = new FakeDriver()
    const texts = await runTransaction(driver, async (tx) => {
      const results = await Promise.all(['a', 'b'].map((text) => tx.query(text)))
      await tx.query('c')
      return results.map(({ rows }) => rows[0]?.text)
    })
    expect(texts).toEqual(['a', 'b'])
    expect(driver.flushes).toEqual([['a', 'b'], ['c'], ['COMMIT']])
  })

  test('sends what nobody awaited before the commit', async () => {
    const driver = new FakeDriver()
    await runTransaction(driver, (tx) => {
      void tx.query('a')
    })
    expect(driver.flushes).toEqual([['a'], ['COMMIT']])
  })

  test('has the database begin on a long queue, and commits only what went well', async () => {
    const driver = new FakeDriver()
    const fill = (bad: number) => async (tx: Tx) => {
      for (let i = 0; i < 70; i++) await tx.enqueue(i === bad ? 'bad' : `${i}`)
    }
    await runTransaction(driver, fill(-1))
    expect(driver.flushes.map(({ length }) => length)).toEqual([32, 32, 7])
    driver.flushes.length = 0
    await expect(runTransaction(driver, fill(3))).rejects.toThrow('bad failed')
    expect(driver.flushes.at(-1)).toEqual(['ROLLBACK'])
  })

  test('statements of one kind that follow each other leave as one', async () => {
    const driver = new FakeDriver()
    const join: Merge = (rows) => ({ text: `all ${rows.map(([value]) => value).join(' ')}`, values: [] })
    const other: Merge = (rows) => ({ text: `other ${rows.length}`, values: [] })
    await runTransaction(driver, async (tx) => {
      const one = (value: string, merge: Merge) => tx.enqueue('one', [value], undefined, merge)
      await one('a', join)
      await one('b', join)
      await tx.query('between')
      await one('c', join)
      await one('x', other)
      await one('y', other)
      await one('d', join)
    })
    expect(driver.flushes).toEqual([
      ['all a b', 'between'],
      ['all c', 'other 2', 'all d', 'COMMIT'],
    ])
  })

  test('has the database begin on a long statement, and explains what it says of it', async () => {
    const driver = new FakeDriver()
    const join: Merge = (rows) => ({
      text: `${rows.some(([value]) => value === 3) ? 'bad' : 'all'} ${rows.length}`,
      values: [],
    })
    const explain = (error: unknown) => new Error('explained', { cause: error })
    const fill = (from: number) => async (tx: Tx) => {
      for (let i = from; i < from + 70; i++) await tx.enqueue('one', [i], explain, join)
    }
    await runTransaction(driver, fill(10))
    expect(driver.flushes).toEqual([['all 32'], ['all 32'], ['all 6', 'COMMIT']])
    await expect(runTransaction(driver, fill(0))).rejects.toThrow('explained')
    expect(driver.flushes.at(-1)).toEqual(['ROLLBACK'])
  })

  test('tells every callback of its commit, though one throws', async () => {
    const driver = new FakeDriver()
    const told: string[] = []
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    await runTransaction(driver, (tx) => {
      tx.onCommit(() => {
        throw new Error('of no use')
      })
      tx.onCommit(() => told.push('second'))
      return tx.enqueue('a')
    })
    expect(told).toEqual(['second'])
    expect((await warned).message).toContain('of no use')
  })
})
