import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const docs = join(import.meta.dirname, '../../../../docs')
const page = readFileSync(join(docs, 'driver-under-fault.md'), 'utf8')
const files = ['sending', 'consuming', 'group'].map((part) => `driver-under-fault.${part}.integration.test.ts`)

const table = /<!-- driver-under-fault -->([\s\S]*?)<!-- \/driver-under-fault -->/.exec(page)?.[1] ?? ''
const rows = [...table.matchAll(/^\| \[(.+?)\]\((.+?)\) \|/gm)].map(([, row = '', file = '']) => ({ row, file }))

/** The parts of a test file that compare the two clients, by name, with the tests in each. */
function comparisons(source: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const part of source.split(/^describe\(/m).slice(1)) {
    const name = /^(['"])(.+?)\1, /.exec(part)?.[2]
    const tests = [...part.matchAll(/^ {2}test\((['"])(.+?)\1, /gm)].map(([, , title = '']) => title)
    if (name !== undefined) found.set(name, tests)
  }
  return found
}

describe('the driver under fault', () => {
  test('has rows', () => {
    expect(rows.length).toBeGreaterThan(8)
  })

  for (const { row, file } of rows)
    test(`${row}: its file has a test of plain kafkajs and one of this driver`, () => {
      const tests = comparisons(readFileSync(join(docs, file), 'utf8')).get(row) ?? []
      expect(tests.filter((title) => title.startsWith('plain kafkajs '))).toHaveLength(1)
      expect(tests.some((title) => title.startsWith('this driver '))).toBe(true)
    })

  test('every comparison has its row', () => {
    const named = files.flatMap((file) =>
      [...comparisons(readFileSync(join(import.meta.dirname, file), 'utf8'))].flatMap(([name, tests]) =>
        tests.some((title) => title.startsWith('plain kafkajs ')) ? [name] : [],
      ),
    )
    expect(rows.map(({ row }) => row)).toEqual(named)
  })
})
