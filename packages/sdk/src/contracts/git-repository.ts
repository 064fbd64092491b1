import { spawn } from 'node:child_process'
import { InvalidConfigurationError } from '../core/errors.ts'

/** One change of the contracts that was committed. */
export interface GitChange {
  /** Full hash. */
  readonly commit: string
  /** ISO-8601. */
  readonly committedAt: string
  readonly files: readonly {
    readonly path: string
    readonly before: string | undefined
    readonly after: string | undefined
  }[]
}

/** A folder as git remembers it: what was in it at a commit, and how it came to that. Reads only, and never the network. */
export class GitRepository {
  /** The folder itself; it need not be there any more. */
  readonly #folder: string
  readonly #prefix: string
  /** Whether older commits were left out when this copy was made. */
  readonly shallow: boolean

  private constructor(folder: string, prefix: string, shallow: boolean) {
    this.#folder = folder
    this.#prefix = prefix
    this.shallow = shallow
  }

  /** @throws InvalidConfigurationError when git is missing, or the folder is in no repository. */
  static async open(folder: string): Promise<GitRepository> {
    const { code, stdout, stderr } = await git(folder, ['rev-parse', '--is-shallow-repository', '--show-prefix'])
    if (code !== 0) {
      // With another owner, git refuses as well, and says itself what to do.
      const why = /not a git repository/.test(stderr) ? 'it is in no git repository' : firstLine(stderr)
      throw new InvalidConfigurationError(
        `the contracts in ${folder} have no history to compare with: ${why}. Run git init and commit them, or compare with a folder or a registry (--against ./released, --against https://registry).`,
      )
    }
    const [shallow = '', prefix = ''] = stdout.toString().split('\n')
    return new GitRepository(folder, prefix, shallow.trim() === 'true')
  }

  /** The hash of the commit that a branch, tag or hash stands for; `undefined` when there is none. */
  async resolve(ref: string): Promise<string | undefined> {
    const { code, stdout } = await git(this.#folder, [
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${ref}^{commit}`,
    ])
    return code === 0 ? stdout.toString().trim() : undefined
  }

  /** What a name that points to another stands for: `origin/HEAD` is `origin/main`, say. */
  async nameOf(ref: string): Promise<string> {
    const { code, stdout } = await git(this.#folder, ['rev-parse', '--abbrev-ref', ref])
    return code === 0 && stdout.length > 1 ? stdout.toString().trim() : ref
  }

  /** Where the history of this branch leaves that of another; `undefined` when they share none. */
  async forkPoint(commit: string): Promise<string | undefined> {
    const { code, stdout } = await git(this.#folder, ['merge-base', commit, 'HEAD'])
    return code === 0 ? stdout.toString().trim() : undefined
  }

  /** Hashes of the files in the folder at a commit, by path relative to the folder. */
  async tree(commit: string): Promise<Map<string, string>> {
    const stdout = await this.#run(['ls-tree', '-r', '-z', commit, '--', '.'])
    const files = new Map<string, string>()
    for (const entry of stdout.toString().split('\0')) {
      const [, hash, path] = /^\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(entry) ?? []
      if (hash !== undefined && path !== undefined) files.set(path, hash)
    }
    return files
  }

  /**
   * What changed in the folder up to a commit, newest first. Of merges only what they brought counts: the versions that a branch
   * had before it was merged never were those of the main line.
   */
  async changes(commit: string, limit: number): Promise<readonly GitChange[]> {
    const stdout = await this.#run([
      '-c',
      'core.quotePath=false',
      'log',
      '--first-parent',
      '-m',
      '--raw',
      '--no-abbrev',
      '--no-renames',
      '--relative',
      `--max-count=${limit}`,
      '--format=%x01%H %cI',
      commit,
      '--',
      '.',
    ])
    return stdout
      .toString()
      .split('\x01')
      .filter((text) => text !== '')
      .map(readChange)
  }

  /** What files hold, by hash. */
  async contents(hashes: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const wanted = [...new Set(hashes)]
    const found = new Map<string, string>()
    if (wanted.length === 0) return found
    const stdout = await this.#run(['cat-file', '--batch'], `${wanted.join('\n')}\n`)
    for (let at = 0; at < stdout.length; ) {
      const end = stdout.indexOf(10, at)
      const [hash = '', type, size] = stdout.toString('latin1', at, end).split(' ')
      at = end + 1
      // `<hash> missing`: left out of a partial clone.
      if (type === 'missing') continue
      found.set(hash, stdout.toString('utf8', at, at + Number(size)))
      at += Number(size) + 1
    }
    return found
  }

  /** Where the folder is in the repository, with `/` at the end; empty for its top. */
  get prefix(): string {
    return this.#prefix
  }

  async #run(args: readonly string[], input = ''): Promise<Buffer> {
    const { code, stdout, stderr } = await git(this.#folder, args, input)
    if (code === 0) return stdout
    throw new InvalidConfigurationError(
      `git ${args.find((arg) => !arg.startsWith('-') && !arg.includes('='))} failed in ${this.#folder}: ${firstLine(stderr)}`,
    )
  }
}

function readChange(text: string): GitChange {
  const [head = '', ...lines] = text.split('\n')
  const [commit = '', committedAt = ''] = head.split(' ')
  const files = lines.flatMap((line) => {
    const [, before, after, path] = /^:+\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) \S+\t(.+)$/.exec(line) ?? []
    if (before === undefined || after === undefined || path === undefined) return []
    return [{ path, before: known(before), after: known(after) }]
  })
  return { commit, committedAt, files }
}

/** Git writes nothing but zeros for a file that is not there. */
function known(hash: string): string | undefined {
  return /^0+$/.test(hash) ? undefined : hash
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}

interface GitAnswer {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

function git(folder: string, args: readonly string[], input = ''): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    // Of the environment, what points git elsewhere must not: in a hook it names the repository that is being pushed.
    const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, GIT_PREFIX: ____, ...env } = process.env
    const child = spawn('git', ['--no-optional-locks', ...args], {
      cwd: folder,
      // In a partial clone git would go to the network for what is not here.
      env: { ...env, LC_ALL: 'C', GIT_PAGER: '', GIT_NO_LAZY_FETCH: '1' },
    })
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // It may end before it has read everything; its exit code tells why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'ENOENT' ? `git is not on the search path, or there is no folder ${folder}` : cause.message
      reject(new InvalidConfigurationError(`the history of the contracts cannot be read: ${why}`, { cause }))
    })
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }))
  })
}
