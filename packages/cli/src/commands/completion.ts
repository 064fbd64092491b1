import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'

export const completionCommand: CommandSpec = {
  path: 'completion',
  summary: 'print the script by which a shell completes evt',
  description: `It completes commands, options, and the names of events and topics of the contracts. The shell must find evt
in its path: install it globally, or call it through an alias.`,
  args: [['<shell>', 'bash, zsh, fish or powershell']],
  examples: [
    ['source <(evt completion bash)', 'For this bash; put the line in ~/.bashrc to keep it. The same for zsh.'],
    ['evt completion fish > ~/.config/fish/completions/evt.fish', 'For every fish from now on.'],
    [
      'evt completion powershell | Out-String | Invoke-Expression',
      'For this PowerShell; put it in $PROFILE to keep it.',
    ],
  ],
  async run({ args, output }) {
    const { completionScript, shells } = await import('../completion.ts')
    const shell = shells.find((name) => name === args[0])
    if (shell === undefined)
      throw usageError(`there is no completion for ${JSON.stringify(args[0])}; there is for ${shells.join(', ')}`)
    output.raw(await completionScript(shell))
    return exitCodes.ok
  },
}
