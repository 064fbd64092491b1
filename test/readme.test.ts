import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test("the README's program is the file it names", () => {
  const program = /<!-- quickstart -->\n```ts\n([\s\S]*?)```\n<!-- \/quickstart -->/.exec(readme)?.[1]
  expect(program).toBe(readFileSync(join(root, 'examples/quickstart/main.ts'), 'utf8'))
})
