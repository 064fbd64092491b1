import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the quickstart prints what the README says', async () => {
  const args = ['--conditions=@evtkit/source', '--import', 'tsx', 'main.ts']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
  expect(stdout).toBe('shipping o-1, worth 4200 cents, asked for by order-service\n')
}, 20_000)
