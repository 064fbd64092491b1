import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

test("the README's example of a fault is the file that runs as a test", () => {
  const example = /<!-- lost-answer -->\n```ts\n([\s\S]*?)```\n<!-- \/lost-answer -->/.exec(readme)?.[1]
  expect(example).toBe(readFileSync(join(import.meta.dirname, 'lost-answer.integration.test.ts'), 'utf8'))
})

test('the README names every verb of the proxies', () => {
  for (const file of ['fault-proxy.ts', 'fault-proxy-postgres.ts', 'proxy-server.ts']) {
    const source = readFileSync(join(import.meta.dirname, file), 'utf8')
    const port = /export interface \w*FaultProxy(?: extends \w+)? \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? ''
    const verbs = [...port.matchAll(/^ {2}(\w+)\(/gm)].map(([, verb = '']) => verb)
    expect(verbs.length).toBeGreaterThan(5)
    for (const verb of verbs) expect(readme, file).toContain(`\`${verb}(`)
  }
})
