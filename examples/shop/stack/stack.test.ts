import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withStack } from './stack.ts'
import { stackFolder } from './stack-folder.ts'

let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stack-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

test('a stack can lie where no folder is yet', async () => {
  const data = join(root, 'not', 'there')
  expect(await withStack({ data }, async (stack) => stack.folder.path)).toBe(data)
})

test('commands on one stack take turns, and say that they wait', async () => {
  const data = join(root, 'stack')
  const said: string[] = []
  const order: string[] = []
  let release = () => {}
  const first = withStack({ data }, async () => {
    order.push('first begins')
    await new Promise<void>((resolve) => {
      release = resolve
    })
    order.push('first ends')
  })
  const second = withStack(
    {
      data,
      progress(message) {
        said.push(message)
        release()
      },
    },
    async () => void order.push('second'),
  )
  await Promise.all([first, second])
  expect(order).toEqual(['first begins', 'first ends', 'second'])
  expect(said).toEqual(['Another command is at work on this stack; waiting until it is done ...'])
})

test('a command that fails lets the next one in', async () => {
  const data = join(root, 'stack')
  await expect(withStack({ data }, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(existsSync(stackFolder(data).lockFile)).toBe(false)
})
