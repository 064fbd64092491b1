import { describe, expect, test } from 'vitest'
import { createOutput, wantsColor } from './stream-output.ts'

function open(options: { json?: boolean; color?: boolean; terminal?: boolean } = {}) {
  const { json = false, color = false, terminal = false } = options
  const written = { out: '', err: '' }
  const output = createOutput({
    json,
    color,
    stdout: { isTTY: terminal, write: (text) => (written.out += text) },
    stderr: { isTTY: terminal, write: (text) => (written.err += text) },
  })
  return { output, written }
}

const columns = [
  { key: 'topic', title: 'topic' },
  { key: 'count', title: 'count' },
]

describe('for people', () => {
  test('results go to standard output, and notes to standard error', () => {
    const { output, written } = open()
    output.line('a result')
    output.record({ not: 'shown' })
    output.note('a note')
    output.warn('a warning')
    expect(written).toEqual({ out: 'a result\n', err: 'a note\nwarning: a warning\n' })
  })

  test('a table is plain aligned text where there is no terminal', () => {
    const { output, written } = open()
    output.table(columns, [
      { topic: 'orders', count: 12 },
      { topic: 'p', count: null },
    ])
    expect(written.out).toBe('topic   count\norders  12\np\n')
  })

  test('a table has lines on a terminal', () => {
    const { output, written } = open({ terminal: true })
    output.table(columns, [{ topic: 'orders', count: 12 }])
    expect(written.out).toContain('│ orders │ 12    │')
  })

  test('a payload can neither colour anything nor break out of its cell, while our own colours work', () => {
    const { output, written } = open({ color: true, terminal: true })
    output.line(`${output.style.red('bad')} \u001b[32mpayload`)
    output.table(columns, [{ topic: output.style.green('ok'), count: 'a\u001b[31m\nb' }])
    expect(written.out).toContain('\u001b[31mbad\u001b[39m \\x1b[32mpayload\n')
    expect(written.out).toContain('\u001b[32mok\u001b[39m')
    expect(written.out).toContain('a\\x1b[31m\\nb')
  })

  test('passwords in URLs are not printed, wherever they come from', () => {
    const { output, written } = open()
    output.line('postgres://app:s3cret@db/shop')
    output.note('postgres://app:s3cret@db/shop')
    output.table(columns, [{ topic: 'http://u:s3cret@r', count: 1 }])
    expect(written.out + written.err).not.toContain('s3cret')
  })
})

describe('with --json', () => {
  test('every result is one line, and text for people is left out', () => {
    const { output, written } = open({ json: true })
    output.line('for people')
    output.record({ big: 12n, at: new Date(0), text: 'a\nb' })
    output.table(columns, [{ topic: 'orders', count: 1, more: true }])
    expect(written.out).toBe(
      '{"big":"12","at":"1970-01-01T00:00:00.000Z","text":"a\\nb"}\n{"topic":"orders","count":1,"more":true}\n',
    )
  })

  test('nothing that a terminal would obey is in it', () => {
    const { output, written } = open({ json: true, terminal: true })
    output.record({ text: '\u009b31m\u202e' })
    expect(written.out).toBe('{"text":"\\u009b31m\\u202e"}\n')
  })
})

test.each([
  [{}, undefined, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, undefined, false],
  [{ NO_COLOR: '' }, undefined, true],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, undefined, false],
  [{ TERM: 'dumb' }, undefined, false],
])('on a terminal with %j and the option %j there are colours: %j', (env, option, expected) => {
  expect(wantsColor({ isTTY: true, write: () => {} }, env, option)).toBe(expected)
})

test.each([
  [{}, false],
  [{ FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
])('without a terminal and with %j there are colours: %j', (env, expected) => {
  expect(wantsColor({ write: () => {} }, env, undefined)).toBe(expected)
})
