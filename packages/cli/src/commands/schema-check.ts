import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { readTree } from '../connect.ts'
import { count } from '../count.ts'

const modes = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const
const usualMode = 'BACKWARD_TRANSITIVE'

export const schemaCheck: CommandSpec = {
  path: 'schema check',
  summary: 'fail when a change of the contracts would break data or consumers',
  description: `Compares the contracts with what was promised before: with a git ref and every version on the way to it, with a folder, or with every version in a registry. Says for each break where it is, what changed, which data fails, which declared consumers read that event, and how to make the change safely. Git and folders are compared without any network.

Without --against it is the branch that others build on (origin/main) where this repository has it, otherwise what is committed here: then an edit breaks with HEAD, and a committed edit with the commits before it.

The mode says who must be able to read what. BACKWARD: the new schema reads old data. FORWARD: the old schema reads new data. FULL: both. The transitive modes look at every earlier version, not the last only. The default is BACKWARD_TRANSITIVE, because replays and new consumers read records that are years old.

Ends with 3 when something would break, or a rule of ours is not kept: every record and field has a doc. Warnings do not fail: what is read as something else from now on, and what readers that run today would fail on, so that they must be deployed first.`,
  args: [['[events...]', 'only these, such as OrderCreated or OrderCreated.v1']],
  options: [
    new Option('--against <base>', 'git ref, folder, registry URL, or "registry" for the one in the settings'),
    new Option('--mode <mode>', 'who must be able to read what').choices(modes).default(usualMode),
  ],
  completes: 'events',
  examples: [
    ['evt schema check', 'Compares with origin/main, or with what is committed.'],
    ['evt schema check --against registry OrderCreated', 'Compares one event with every version in the registry.'],
    ['evt schema check --against ./released --mode FULL', 'Compares with a folder, for readers old and new.'],
  ],
  async run({ args, options, output, settings }) {
    const { checkContracts } = await import('@evtkit/sdk/contracts')
    const { readBase } = await import('../schema-base.ts')
    const { printContractsCheck } = await import('../contracts-check-view.ts')
    const current = await settings()
    const contracts = await readTree(current)
    const earlier = await readBase(options.against, current, contracts)
    const mode = modes.find((one) => one === options.mode) ?? usualMode
    const check = checkContracts({ contracts, earlier, mode, events: args })
    printContractsCheck(check, output)
    for (const note of check.notes) output.warn(note)
    const numberOf = (one: string) => check.findings.filter(({ severity }) => severity === one).length
    const [breaks, rules, warnings] = [numberOf('break'), numberOf('rule'), numberOf('warning')]
    const versions = check.checked.reduce((sum, { earlier }) => sum + earlier, 0)
    const compared = `${count(check.checked.length, 'event')} compared with ${count(versions, 'version')} in ${check.against}, ${mode}`
    // A script must be able to tell that nothing breaks from nothing having been looked at.
    output.record({
      summary: { events: check.checked.length, versions, against: check.against, mode, breaks, rules, warnings },
    })
    const found = [
      breaks === 0 ? 'nothing breaks' : count(breaks, 'break'),
      ...(rules === 0 ? [] : [`${count(rules, 'rule')} not kept`]),
      ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
    ]
    output.note(`${compared}: ${found.join(', ')}.`)
    return breaks + rules === 0 ? exitCodes.ok : exitCodes.checkFailed
  },
}
