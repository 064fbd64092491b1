import { describe, expect, test } from 'vitest'
import { commands } from './commands/index.ts'
import { runCommandLine } from './run-command.ts'

const run = async (...argv: string[]) => {
  let out = ''
  let err = ''
  const code = await runCommandLine({
    specs: commands,
    argv,
    stdout: {
      write: (text) => {
        out += text
      },
    },
    stderr: {
      write: (text) => {
        err += text
      },
    },
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
  })
  return { out, err, code }
}

describe('evt', () => {
  test('prints its help on standard output and ends well', async () => {
    const { out, err, code } = await run('--help')
    expect(out).toContain('Usage: evt')
    expect(out).toContain('Exit codes:')
    expect(err).toBe('')
    expect(code).toBe(0)
  })

  test('prints the version of its package', async () => {
    expect((await run('--version')).out.trim()).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('says what is wrong with an unknown option, on standard error, and where to look', async () => {
    const { out, err, code } = await run('--colour')
    expect(out).toBe('')
    expect(err).toContain("unknown option '--colour'")
    expect(err).toContain('evt --help')
    expect(code).toBe(2)
  })

  test.each([
    [['topcs'], 'Did you mean evt topics?'],
    [['topics', 'lst'], 'Did you mean evt topics list?'],
    [['apply'], 'Did you mean evt topics apply?'],
    [['check'], 'Did you mean evt schema check or evt topics check?'],
    [['topics-aply'], 'Did you mean evt topics apply?'],
  ])('an unknown command %j is answered with the nearest', async (argv, suggestion) => {
    const { err, code } = await run(...argv)
    expect(err).toContain('unknown command')
    expect(err).toContain(suggestion)
    expect(code).toBe(2)
  })

  test('a group without a command prints what it has, as wrong usage', async () => {
    const { err, code } = await run('topics')
    expect(err).toContain('Usage: evt topics')
    expect(code).toBe(2)
  })
})
