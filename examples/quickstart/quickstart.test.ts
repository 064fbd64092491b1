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

test('the program with dead letters prints what the page about them says', async () => {
  expect(await run('dead-letters.ts')).toBe(
    [
      'order 3 of bob goes to Lima',
      'an event of ana is dead after 3 attempts: no carrier goes to Oslo',
      'redriving 1 event, and 1 behind it',
      'order 1 of ana goes to Oslo',
      'order 2 of ana goes to Lima',
      '',
    ].join('\n'),
  )
}, 60_000)
