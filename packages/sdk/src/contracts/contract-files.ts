import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { InvalidContractError } from '../core/errors.ts'

/** Where contracts are read from: a folder, a git tree, a map in a test. */
export interface ContractFiles {
  /** Paths of all files, relative to the folder of the contracts, with `/`; in any order. */
  list(): Promise<readonly string[]>
  /** The text of one of them. */
  read(path: string): Promise<string>
}

/** The contracts in a folder of this computer. Listing one that is not there rejects with an InvalidContractError. */
export function folderFiles(folder: string): ContractFiles {
  return {
    async list() {
      if (!existsSync(folder))
        throw new InvalidContractError(`there is no folder ${folder}; the contracts are read from there`)
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const path = join(entry.parentPath, entry.name).slice(join(folder, sep).length)
          return path.split(sep).join('/')
        })
        .sort()
    },
    read: (path) => readFile(join(folder, ...path.split('/')), 'utf8'),
  }
}
