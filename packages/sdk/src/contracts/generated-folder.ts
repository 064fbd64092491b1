import { existsSync } from 'node:fs'
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InvalidContractError } from '../core/errors.ts'
import { folderFiles } from './contract-files.ts'
import { type GeneratedFile, isGenerated } from './generated-file.ts'

/** What a folder of generated files lacks, or has too much. */
export interface GeneratedChange {
  readonly kind: 'add' | 'change' | 'remove'
  /** Relative to the folder, with `/`. */
  readonly path: string
  /** What it should hold; empty for a file that is to go. */
  readonly text: string
}

/**
 * Compares a folder with what `generate` gave; none when they are the same. Files that people wrote are not looked at, even
 * in between; line ends as git changes them make no difference.
 *
 * @throws InvalidContractError when a file that was not generated stands where one would be written.
 */
export async function compareGenerated(folder: string, files: readonly GeneratedFile[]): Promise<GeneratedChange[]> {
  const found = folderFiles(folder)
  const existing = new Map<string, string>()
  for (const path of existsSync(folder) ? await found.list() : [])
    if (path.endsWith('.ts')) existing.set(path, await found.read(path))
  const changes: GeneratedChange[] = []
  for (const { path, text } of files) {
    const there = existing.get(path)
    existing.delete(path)
    if (there === undefined) changes.push({ kind: 'add', path, text })
    else if (!isGenerated(there))
      throw new InvalidContractError(
        `${join(folder, path)} was not generated and stands where a generated file belongs; move it, or generate into a folder of its own`,
      )
    else if (there.replaceAll('\r\n', '\n') !== text) changes.push({ kind: 'change', path, text })
  }
  for (const [path, text] of existing) if (isGenerated(text)) changes.push({ kind: 'remove', path, text: '' })
  return changes
}

/** Makes the changes, and removes folders that are empty after that. */
export async function applyGenerated(folder: string, changes: readonly GeneratedChange[]): Promise<void> {
  for (const { kind, path, text } of changes) {
    const file = join(folder, path)
    if (kind === 'remove') {
      await rm(file)
      // Not empty, most of the time: then it stays.
      if (dirname(path) !== '.') await rmdir(dirname(file)).catch(() => {})
    } else {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
  }
}
