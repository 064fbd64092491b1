import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** Where contracts are read from: a folder, a git tree, a map in a test. */
export interface ContractFiles {
  /** Paths of all files, relative to the folder of the contracts, with `/`; in any order. */
  list(): Promise<readonly string[]>
  /** The text of one of them. */
  read(path: string): Promise<string>
}

/** The contracts in a folder of this computer. A folder that is not there rejects when it is listed. */
export function folderFiles(folder: string): ContractFiles {
  return {
    async list() {
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
