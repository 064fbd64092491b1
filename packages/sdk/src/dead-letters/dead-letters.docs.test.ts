/** The page about failing events says what the code does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deadLetterMigrations } from './index.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/dead-letters.md', root), 'utf8')

const block = (mark: string) =>
  new RegExp(`<!-- ${mark} -->\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\`\\n<!-- /${mark} -->`).exec(page)?.[1]

test('its program is the file it names', () => {
  expect(block('dead-letters')).toBe(readFileSync(new URL('examples/quickstart/dead-letters.ts', root), 'utf8'))
})

test('its evening on call is the file that is compiled', () => {
  const file = readFileSync(new URL('./testing/on-call.ts', import.meta.url), 'utf8')
  expect(file).toBe(block('on-call'))
})

test('its tables are those that the migrations make', () => {
  const made = deadLetterMigrations.steps.flatMap(({ sql }) =>
    [...sql.matchAll(/create table (\w+)/g)].map(([, name]) => name),
  )
  const listed = [...page.matchAll(/^\| `(evtkit_\w+)` \|/gm)].map(([, name]) => name)
  expect(listed.toSorted()).toEqual(made.toSorted())
})
