import { expect, test } from 'vitest'
import { findJava, parseJavaVersion } from './java-home.ts'

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "25" 2025-09-16 LTS', 25],
  ['java version "1.8.0_402"', 8],
  ['openjdk version "24-ea" 2025-03-18', 24],
  ['command not found', undefined],
])('%s', (line, version) => {
  expect(parseJavaVersion(`Picked up JAVA_TOOL_OPTIONS: -Dx=1\n${line}\nOpenJDK Runtime Environment\n`)).toBe(version)
})

test('when no Java is new enough, the message says what to install', async () => {
  await expect(findJava(999)).rejects.toMatchObject({
    code: 'JAVA_MISSING',
    message: expect.stringMatching(/999 or newer.*apt-get install openjdk/s),
  })
})
