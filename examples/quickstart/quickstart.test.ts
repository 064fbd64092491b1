import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

async function run(program: string): Promise<string> {
  const args = ['--conditions=@evtkit/source', '--import', 'tsx', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
  return stdout
}

test('the quickstart prints what the README says', async () => {
  expect(await run('main.ts')).toBe('shipping o-1, worth 4200 cents, asked for by order-service\n')
}, 30_000)

test('the program with a database carries an event to the one that follows from it', async () => {
  expect(await run('with-database.ts')).toBe('reserved for o-1, because of event OrderCreated\n')
}, 60_000)
