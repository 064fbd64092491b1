/** The page about retry topics says what the code does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ContractProblems } from '../contracts/contract-problems.ts'
import { readTopicsFile } from '../contracts/topics-file.ts'
import { retryTopicDefinitions } from './index.ts'
import { ownHeaderNames } from './own-headers.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/retry-topics.md', root), 'utf8')
const block = (mark: string) =>
  new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\`\\n<!-- /${mark} -->`).exec(page)?.[1]

test('its program is the file it names', () => {
  expect(block('retry-topics')).toBe(readFileSync(new URL('examples/quickstart/retry-topics.ts', root), 'utf8'))
})

test('its headers are those that are written, in their order', () => {
  const listed = [...page.matchAll(/^\| `(evtkit-[a-z-]+)` \|/gm)].map((match) => match[1])
  expect(listed).toEqual(Object.values(ownHeaderNames))
})

test('its topics are those that a group needs', () => {
  const problems = new ContractProblems()
  const { topics } = readTopicsFile(block('topics-yaml') ?? '', problems)
  problems.throwIfAny()
  const wanted = retryTopicDefinitions('shipping', [5000, 60_000, 600_000], { partitions: 6 })
  expect(topics.map(({ name, partitions }) => [name, partitions])).toEqual(
    wanted.map(({ name, partitions }) => [name, partitions]),
  )
})
