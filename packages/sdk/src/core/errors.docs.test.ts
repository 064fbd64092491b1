import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from './errors.ts'

test('the page of errors lists exactly the codes that exist', () => {
  const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `(EVT_[A-Z_]+)` \|/gm)].map((match) => match[1])
  expect(listed).toEqual([...errorCodes])
})
