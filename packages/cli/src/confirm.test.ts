import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm } from './confirm.ts'
import { createOutput } from './stream-output.ts'

/** Asks a question and presses keys at it. */
async function press(keys: string): Promise<{ readonly answer: boolean | string; readonly interrupted: boolean }> {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = Object.assign(new PassThrough(), { isTTY: true })
  const silent = { write: () => {} }
  const ending = new AbortController()
  const invocation = {
    options: {},
    output: createOutput({ stdout: silent, stderr: silent, json: false, color: false }),
    signal: ending.signal,
  }
  output.once('data', () => input.write(keys))
  const asked = confirm('Do it?', invocation, { input, output, interrupt: () => ending.abort() })
  const answer = await asked.catch((error: Error) => error.name)
  return { answer, interrupted: ending.signal.aborted }
}

test.each([
  ['y\r', true],
  ['Yes\r', true],
  ['n\r', false],
  ['\r', false],
  ['yesterday\r', false],
])('the keys %j are the answer %j', async (keys, answer) => {
  expect(await press(keys)).toEqual({ answer, interrupted: false })
})

test('Ctrl-C at the question interrupts the command', async () => {
  expect(await press('\u0003')).toEqual({ answer: 'AbortError', interrupted: true })
})

test('Ctrl-D at the question is no', async () => {
  expect(await press('\u0004')).toEqual({ answer: false, interrupted: false })
})
