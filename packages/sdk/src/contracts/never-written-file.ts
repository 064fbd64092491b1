import { InvalidContractError } from '../core/errors.ts'
import type { ContractFiles } from './contract-files.ts'
import { ContractProblems } from './contract-problems.ts'
import { describe, isObject, YamlFile } from './yaml-file.ts'

export const neverWrittenFileName = 'never-written.yaml'

/**
 * Hashes of file versions that no record was ever written with, from `never-written.yaml`: a list of `hash`, `file` and `because`.
 * A team adds one when it changes, before anything was published, what it has committed already.
 *
 * @throws InvalidContractError
 */
export async function readNeverWritten(files: ContractFiles): Promise<ReadonlySet<string>> {
  if (!(await files.list()).includes(neverWrittenFileName)) return new Set()
  const problems = new ContractProblems()
  const file = new YamlFile(neverWrittenFileName, await files.read(neverWrittenFileName), problems)
  const content = file.isReadable ? file.content() : []
  problems.throwIfAny()
  if (!Array.isArray(content)) throw wrong(`expected a list, got ${describe(content)}`)
  return new Set(content.map(hashOf))
}

function hashOf(entry: unknown): string {
  const { hash, file, because } = isObject(entry) ? entry : {}
  if (typeof hash !== 'string' || !/^[0-9a-f]{40,64}$/.test(hash))
    throw wrong(
      `"hash" must be what evt schema check or git hash-object says for the file, in full, got ${describe(hash)}`,
    )
  if (typeof file !== 'string' || typeof because !== 'string' || because.trim() === '')
    throw wrong(`${hash} needs "file", and "because" with the reason why nothing was ever written with it`)
  return hash
}

function wrong(message: string): InvalidContractError {
  return new InvalidContractError(`${neverWrittenFileName}: ${message}`)
}
