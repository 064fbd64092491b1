import { expect, test } from 'vitest'
import { printable, printableJson, printableLine, withoutCredentials } from './printable.ts'

test.each([
  ['a colour', 'a\u001b[31mb', 'a\\x1b[31mb'],
  ['a title of the window', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
  ['a C1 control', '\u009b31m', '\\x9b31m'],
  ['a delete', 'a\u007fb', 'a\\x7fb'],
  ['a carriage return', 'paid\rfree', 'paid\\x0dfree'],
  ['text turned around', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a null', '\u0000', '\\x00'],
])('%s is shown, not obeyed', (_, text, shown) => {
  expect(printable(text)).toBe(shown)
})

test('lines, tabs and other languages stay as they are', () => {
  expect(printable('zwei\tSpalten\nüber 日本 👩‍💻')).toBe('zwei\tSpalten\nüber 日本 👩‍💻')
  expect(printableLine('one\ntwo\tthree')).toBe('one\\ntwo\\tthree')
})

test('JSON means the same when it is made printable', () => {
  const value = { text: 'a\u001b\u009b\u007f\u202eb' }
  const json = printableJson(JSON.stringify(value))
  expect(JSON.parse(json)).toEqual(value)
  expect(json).toMatch(/^[ -~]+$/)
})

test.each([
  ['postgres://app:s3cret@db:5432/shop', 'postgres://app:***@db:5432/shop'],
  ['https://:s3cret@registry/', 'https://:***@registry/'],
  ['cannot reach http://u:p@a and http://u:q@b', 'cannot reach http://u:***@a and http://u:***@b'],
  ['postgres://app:with@sign@db/shop', 'postgres://app:***@db/shop'],
  ['postgres://app@db/shop', 'postgres://app@db/shop'],
  ['postgres://db/shop?user=u&password=s3cret&ssl=true', 'postgres://db/shop?user=u&password=***&ssl=true'],
  ['http://registry:8081/subjects', 'http://registry:8081/subjects'],
])('%s is printed without its password', (text, printed) => {
  expect(withoutCredentials(text)).toBe(printed)
})
