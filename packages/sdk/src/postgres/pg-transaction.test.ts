import { describe, expect, test } from 'vitest'
import type { Command } from './open-transaction.ts'
import type { PgConnection } from './pg-connection.ts'
import { PgTransactionDriver } from './pg-transaction.ts'
import { preparedName } from './prepared-statements.ts'

/** A connection on which BEGIN fails; like the server, it skips the rest of that exchange. */
class BeginlessConnection {
  readonly exchanges: string[][] = []
  readonly processId = undefined

  async run(commands: readonly Command[]): Promise<PromiseSettledResult<unknown>[]> {
    this.exchanges.push(commands.map(({ text }) => text))
    return commands.map(({ text }) =>
      text === 'ROLLBACK'
        ? { status: 'fulfilled', value: { rows: [] } }
        : { status: 'rejected', reason: new Error('no begin') },
    )
  }

  spoil(): void {}
}

function driverWithoutBegin() {
  const connection = new BeginlessConnection()
  // Only what the driver calls is there.
  const driver = new PgTransactionDriver(connection as unknown as PgConnection, async () => {})
  return { connection, driver }
}

const text: Command = { text: 'insert into notes values (1)', values: undefined }
const planned: Command = { text: 'insert into notes values ($1)', values: [1] }

describe('a BEGIN that fails', () => {
  test('is followed by no statement that would commit by itself', async () => {
    for (const commands of [[text], [planned, text], [text, planned]]) {
      const { connection, driver } = driverWithoutBegin()
      await expect(driver.run(commands)).rejects.toThrow('no begin')
      expect(connection.exchanges.flat()).not.toContain(text.text)
    }
  })

  test('is waited for by statements that nobody awaited', async () => {
    const { connection, driver } = driverWithoutBegin()
    const both = await Promise.allSettled([driver.run([planned]), driver.run([planned])])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(connection.exchanges).toEqual([['BEGIN', planned.text]])
  })

  test('commits nothing that was queued', async () => {
    const { connection, driver } = driverWithoutBegin()
    await expect(driver.commit([text])).rejects.toThrow('no begin')
    expect(connection.exchanges).toEqual([['BEGIN']])
  })
})

test('what begins and ends a transaction is never planned under a name', () => {
  expect(['BEGIN', 'COMMIT', 'ROLLBACK'].map(preparedName)).toEqual([undefined, undefined, undefined])
})
