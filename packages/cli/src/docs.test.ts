import { expect, test } from 'vitest'
import { commands } from './commands/index.ts'
import { globalOptions } from './global-options.ts'
import { cliPage } from './testing/cli-page.ts'

test('the page of commands says what the commands say of themselves', async () => {
  await expect(cliPage(commands)).toMatchFileSnapshot('../../../docs/cli.md')
})

test.each(commands.map((spec) => [spec.path, spec] as const))(
  '%s has a summary and examples of its own',
  (path, spec) => {
    expect(spec.summary).not.toMatch(/\.$/)
    expect(spec.summary.length).toBeGreaterThan(10)
    expect(spec.examples.length).toBeGreaterThan(0)
    for (const [line, says] of spec.examples) {
      expect(line).toContain(`evt ${path}`)
      expect(says).toMatch(/\.$/)
    }
  },
)

test('no two commands have the same words, and none is the beginning of another', () => {
  const paths = commands.map(({ path }) => path)
  for (const path of paths)
    expect(paths.filter((other) => other === path || other.startsWith(`${path} `))).toEqual([path])
})

test('an option of a command that has the name of a global one takes a value as that does', () => {
  const globals = new Map(globalOptions().map((option) => [option.long, option]))
  for (const { path, options = [] } of commands)
    for (const option of options) {
      const shadowed = globals.get(option.long)
      // Otherwise the same word would mean two things, depending on where it stands.
      if (shadowed !== undefined) expect([path, option.flags]).toEqual([path, shadowed.flags])
    }
})
