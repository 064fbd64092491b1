import { existsSync } from 'node:fs'
import type { CommandSpec } from './command.ts'
import { readTree } from './connect.ts'
import { globalOptions } from './global-options.ts'
import { loadSettings } from './load-settings.ts'

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const

type Env = Readonly<Record<string, string | undefined>>

/** Answers the scripts of `evt completion`, which call `evt complete -- <words so far>`. Prints one candidate per line. */
export async function printCompletions(
  specs: readonly CommandSpec[],
  words: readonly string[],
  env: Env,
  cwd: string,
): Promise<void> {
  const { RootCommand } = await import('@bomb.sh/tab')
  const root = new RootCommand()
  const names = await treeNames(specs, words, env, cwd)
  const groups = new Set<string>()
  for (const spec of specs) {
    const [group] = spec.path.split(' ')
    if (group !== undefined && group !== spec.path && !groups.has(group)) {
      groups.add(group)
      root.command(group, `${group} …`)
    }
    const command = root.command(spec.path, spec.summary)
    for (const option of [...(spec.options ?? []), ...globalOptions()]) {
      const name = option.long?.replace(/^--/, '')
      if (name === undefined || option.hidden) continue
      const choices = option.argChoices
      if (choices !== undefined || option.required || option.optional)
        command.option(name, option.description, (complete) => {
          for (const choice of choices ?? []) complete(choice, '')
        })
      else command.option(name, option.description)
    }
    for (const [form] of spec.args ?? [])
      command.argument(
        form.replace(/[<>[\].]/g, ''),
        (complete) => {
          if (spec.path === 'completion') for (const shell of shells) complete(shell, '')
          for (const [name, says] of names) complete(name, says)
        },
        form.includes('...'),
      )
  }
  root.parse([...words])
}

/** The script that a shell loads. */
export async function completionScript(shell: (typeof shells)[number]): Promise<string> {
  const { script } = await import('@bomb.sh/tab')
  // It is only ever printed to standard output; here it is wanted as text.
  const lines: string[] = []
  const log = console.log
  console.log = (...words: unknown[]) => void lines.push(words.join(' '))
  try {
    script(shell, 'evt', 'evt')
  } finally {
    console.log = log
  }
  return `${lines.join('\n')}\n`
}

/** Names of the events or topics of the contracts, where the command takes such. A tree that cannot be read completes nothing. */
async function treeNames(
  specs: readonly CommandSpec[],
  words: readonly string[],
  env: Env,
  cwd: string,
): Promise<readonly (readonly [name: string, says: string])[]> {
  const typed = words.filter((word) => !word.startsWith('-')).join(' ')
  const spec = specs.find(({ path }) => typed === path || typed.startsWith(`${path} `))
  if (spec?.completes === undefined) return []
  try {
    const settings = await loadSettings({}, env, cwd)
    if (!existsSync(settings.schemas)) return []
    const { events, topics } = await readTree(settings)
    return spec.completes === 'topics'
      ? topics.map(({ name, description }) => [name, description])
      : [...new Map(events.map(({ type, topic }) => [type, topic.name]))]
  } catch {
    return []
  }
}
