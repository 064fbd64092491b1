import { InvalidConfigurationError } from '../core/errors.ts'
import type { ContractFiles } from './contract-files.ts'
import { GitRepository } from './git-repository.ts'

/**
 * The contracts in a folder as they were at a commit. Reads what this copy of the repository has, never the network.
 *
 * @param folder of this computer, within a git repository.
 * @param ref branch, tag or hash.
 * @throws InvalidConfigurationError, when they are listed, that names the command which brings the commit here.
 */
export function gitFiles(folder: string, ref: string): ContractFiles {
  let texts: Promise<ReadonlyMap<string, string>> | undefined
  const load = async () => {
    const repository = await GitRepository.open(folder)
    const commit = await commitOf(repository, ref)
    return textsOf(repository, await repository.tree(commit))
  }
  const loaded = () => {
    texts ??= load()
    return texts
  }
  return {
    async list() {
      return [...(await loaded()).keys()].sort()
    },
    async read(path) {
      const text = (await loaded()).get(path)
      if (text === undefined) throw new InvalidConfigurationError(`there is no file ${path} in ${folder} at ${ref}`)
      return text
    },
  }
}

/** @throws InvalidConfigurationError that names the command which brings the commit here. */
export async function commitOf(repository: GitRepository, ref: string): Promise<string> {
  const commit = await repository.resolve(ref)
  if (commit !== undefined) return commit
  if (ref === 'HEAD')
    throw new InvalidConfigurationError(
      'nothing is committed in this repository yet, so there is nothing to compare with. Run git add and git commit for the contracts first.',
    )
  const [, remote, branch] = /^(origin|upstream)\/(.+)$/.exec(ref) ?? []
  const next =
    remote === undefined
      ? `Run git fetch --all --tags if it is elsewhere, or git branch --all to see what is here.`
      : `Run git fetch ${remote} ${branch}:refs/remotes/${ref} to bring it here.`
  throw new InvalidConfigurationError(
    `there is no commit "${ref}" in this copy of the repository to compare with${repository.shallow ? ', which was cloned without its whole history' : ''}. ${next}`,
  )
}

async function textsOf(
  repository: GitRepository,
  tree: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const contents = await repository.contents(tree.values())
  return new Map([...tree].map(([path, hash]) => [path, contents.get(hash) ?? '']))
}

/**
 * What contracts are compared with when nobody says: the branch that others build on, where it has contracts, else what is
 * committed here.
 *
 * @returns `origin/main`, `origin/master`, or `HEAD`.
 */
export async function usualBase(folder: string): Promise<string> {
  const repository = await GitRepository.open(folder)
  for (const ref of ['origin/HEAD', 'origin/main', 'origin/master']) {
    const commit = await repository.resolve(ref)
    if (commit === undefined) continue
    const tree = await repository.tree(commit)
    if ([...tree.keys()].some((path) => path.endsWith('.avsc')))
      return ref === 'origin/HEAD' ? repository.nameOf(ref) : ref
  }
  return 'HEAD'
}
