import { CommanderError } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from './program.ts'

const run = (...args: string[]) => {
  let out = ''
  let err = ''
  const program = createProgram().configureOutput({
    writeOut: (text) => {
      out += text
    },
    writeErr: (text) => {
      err += text
    },
  })
  let exit: CommanderError | undefined
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    exit = error
  }
  return { out, err, exit }
}

describe('evt', () => {
  test('prints its help on standard output and ends well', () => {
    const { out, err, exit } = run('--help')
    expect(out).toContain('Usage: evt')
    expect(out).toContain('Exit codes:')
    expect(err).toBe('')
    expect(exit?.exitCode).toBe(0)
  })

  test('prints the version of its package', () => {
    expect(run('--version').out.trim()).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('says what is wrong with an unknown option, on standard error, and where to look', () => {
    const { out, err, exit } = run('--colour')
    expect(out).toBe('')
    expect(err).toContain("unknown option '--colour'")
    expect(err).toContain('evt --help')
    expect(exit?.exitCode).toBeGreaterThan(0)
  })
})
