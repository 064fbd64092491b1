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

test('the program with retry topics prints what the page about them says', async () => {
  expect(await run('retry-topics.ts')).toBe(
    [
      'shipping o-2 to Lima, at attempt 1',
      'o-1 is a dead letter after 3 attempts: no carrier goes to Oslo',
      'shipping o-1 to Oslo, at attempt 4',
      '',
    ].join('\n'),
  )
}, 30_000)
