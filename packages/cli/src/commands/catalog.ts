import { relative, resolve } from 'node:path'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'
import { readTree } from '../connect.ts'
import { count } from '../count.ts'

export const catalog: CommandSpec = {
  path: 'catalog',
  summary: 'write the contracts as pages of an EventCatalog',
  description: `Writes domains, services, events with every version and its schema, channels and teams into the folder of an EventCatalog. The catalog itself is not needed for that.

Pages that people wrote are left alone. Generated ones that no longer belong to a contract are removed; the second line of a page tells the two kinds apart.`,
  options: [
    new Option('--out <dir>', 'folder of the catalog'),
    new Option('--check', 'write nothing; end with 3 when the pages on disk are not what would be written'),
  ],
  examples: [
    ['evt catalog --out catalog', 'Writes what has changed.'],
    ['evt catalog --out catalog --check', 'For CI: fails and names the pages that are stale.'],
  ],
  async run({ options, output, settings }) {
    const { out } = options
    if (typeof out !== 'string') throw usageError('it is not said where to write to', 'evt catalog --out catalog')
    const folder = resolve(out)
    const { applyGenerated, compareCatalog, eventCatalogFiles } = await import('@evtkit/sdk/contracts')
    const files = eventCatalogFiles(await readTree(await settings()))
    const changes = await compareCatalog(folder, files)
    const isCheck = options.check === true
    if (!isCheck) await applyGenerated(folder, changes)
    for (const { kind, path } of changes) {
      const file = relative('.', resolve(folder, path))
      output.record({ kind, file })
      output.line(`${marks[kind]} ${file}`)
    }
    if (changes.length === 0)
      output.note(`${count(files.length, 'file')} of the catalog ${files.length === 1 ? 'is' : 'are'} up to date.`)
    else if (isCheck)
      output.note(
        `${count(changes.length, 'file')} of the catalog ${changes.length === 1 ? 'is' : 'are'} stale; next: evt catalog --out ${out}`,
      )
    else
      output.note(
        `${count(changes.length, 'file')} of the catalog changed; it has ${count(files.length, 'generated one')}.`,
      )
    return isCheck && changes.length > 0 ? exitCodes.checkFailed : exitCodes.ok
  },
}

const marks = { add: '+', change: '~', remove: '-' } as const
