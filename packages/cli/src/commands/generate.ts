import { relative, resolve } from 'node:path'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { count } from '../count.ts'

export const generateCommand: CommandSpec = {
  path: 'generate',
  summary: 'write TypeScript for the contracts: types, event definitions, topics',
  description: `Reads the schemas, the topics and the consumers, and writes a file of TypeScript for each version of each event, the topics, and an index. Commit what it writes: a diff then shows what a change of a contract means for code.

Files that people wrote are left alone. Generated ones that no longer belong to a schema are removed; the first line of a file tells the two kinds apart.`,
  options: [
    new Option('--check', 'write nothing; end with 3 when the files on disk are not what would be written'),
    new Option('--out <dir>', 'folder to write to (default: "generated" of the config file)'),
    new Option('--import-extension <ext>', 'what relative imports end in').choices(['.ts', '.js']).default('.ts'),
  ],
  examples: [
    ['evt generate', 'Writes what has changed.'],
    ['evt generate --check', 'For CI: fails and names the files when somebody forgot to generate.'],
    ['evt generate --out src/events', 'Writes to another folder than the config file says.'],
  ],
  async run({ options, output, settings }) {
    const { schemas, generated } = await settings()
    const { out } = options
    const folder = typeof out === 'string' ? resolve(out) : generated
    if (folder === undefined)
      throw new CommandError('it is not said where to write to', {
        next: 'evt generate --out src/events, or "generated": "src/events" in evt.config.json',
        exitCode: exitCodes.usage,
      })
    const { applyGenerated, compareGenerated, folderFiles, generate, readContracts } = await import(
      '@evtkit/sdk/contracts'
    )
    const contracts = await readContracts(folderFiles(schemas))
    for (const { file, path, message } of contracts.remarks ?? [])
      output.warn(`${file}${path === '' ? '' : ` at ${path}`}: ${message} evt schema check fails on it.`)
    const importExtension = options.importExtension === '.js' ? '.js' : '.ts'
    const files = generate(contracts, { importExtension })
    const changes = await compareGenerated(folder, files)
    const isCheck = options.check === true
    if (!isCheck) await applyGenerated(folder, changes)
    for (const { kind, path } of changes) {
      const file = relative('.', resolve(folder, path))
      output.record({ kind, file })
      output.line(`${marks[kind]} ${file}`)
    }
    if (changes.length === 0)
      output.note(`${count(files.length, 'generated file')} ${files.length === 1 ? 'is' : 'are'} up to date.`)
    else if (isCheck)
      output.note(
        `${count(changes.length, 'generated file')} ${changes.length === 1 ? 'is' : 'are'} stale; next: evt generate`,
      )
    else output.note(`${changes.length} of ${count(files.length, 'generated file')} changed.`)
    return isCheck && changes.length > 0 ? exitCodes.checkFailed : exitCodes.ok
  },
}

const marks = { add: '+', change: '~', remove: '-' } as const
