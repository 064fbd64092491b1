import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InvalidContractError } from '../core/errors.ts'
import { folderFiles } from './contract-files.ts'
import { isCatalogPage } from './event-catalog-files.ts'
import type { GeneratedFile } from './generated-file.ts'
import type { GeneratedChange } from './generated-folder.ts'

/** Where pages are; the rest of a catalog, with all its packages, is never looked at. */
const folders = ['channels', 'domains', 'events', 'services', 'teams']

/**
 * Compares a catalog with what `eventCatalogFiles` gave; none when they are the same. Pages that people wrote are left
 * alone. Make the changes with `applyGenerated`.
 *
 * @throws InvalidContractError when a page that people wrote stands where one would be written.
 */
export async function compareCatalog(folder: string, files: readonly GeneratedFile[]): Promise<GeneratedChange[]> {
  const pages = new Set(files.map(({ path }) => path))
  const changes: GeneratedChange[] = []
  for (const { path, text } of files) {
    const there = await textOf(join(folder, path))
    if (there === undefined) changes.push({ kind: 'add', path, text })
    else if (path.endsWith('.mdx') && !isCatalogPage(there))
      throw new InvalidContractError(
        `${join(folder, path)} was written by somebody and stands where a generated page belongs; move it, or use a catalog of its own`,
      )
    else if (there.replaceAll('\r\n', '\n') !== text) changes.push({ kind: 'change', path, text })
  }
  for (const path of await pagesIn(folder)) {
    if (pages.has(path) || !isCatalogPage((await textOf(join(folder, path))) ?? '')) continue
    changes.push({ kind: 'remove', path, text: '' })
    const schema = join(dirname(path), 'schema.avsc').replaceAll('\\', '/')
    if (existsSync(join(folder, schema))) changes.push({ kind: 'remove', path: schema, text: '' })
  }
  return changes
}

async function pagesIn(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const name of folders)
    if (existsSync(join(folder, name)))
      for (const path of await folderFiles(join(folder, name)).list())
        if (path.endsWith('.mdx')) found.push(`${name}/${path}`)
  return found
}

async function textOf(file: string): Promise<string | undefined> {
  return existsSync(file) ? readFile(file, 'utf8') : undefined
}
