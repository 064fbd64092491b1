import type { AvroRecord } from '../avro/avro-schema.ts'
import { printAvroSchema } from '../avro/print-avro-schema.ts'
import { envelopeRecord } from '../registry/envelope-record.ts'
import { type DataVersion, type EarlierContracts, eventKey } from './earlier-contracts.ts'
import { EarlierState } from './earlier-state.ts'
import { commitOf } from './git-files.ts'
import { type GitChange, GitRepository } from './git-repository.ts'

export interface GitHistoryOptions {
  /** The folder of the contracts, within a git repository. */
  readonly folder: string
  /** Branch, tag or hash. */
  readonly ref: string
  /** Hashes of files, as git has them, that no record was ever written with: versions made of them do not count. @default none */
  readonly neverWritten?: ReadonlySet<string>
  /** How many changes of the folder are looked at, newest first. @default 1000 */
  readonly limit?: number
}

/**
 * The contracts at a commit, and every version each event had on the way there. Costs four calls of git, however long the history.
 *
 * @throws InvalidConfigurationError that names the next command, when there is no repository, no such commit.
 */
export async function earlierInGit(options: GitHistoryOptions): Promise<EarlierContracts> {
  const { folder, ref, neverWritten = new Set(), limit = 1000 } = options
  const repository = await GitRepository.open(folder)
  const commit = await commitOf(repository, ref)
  const [tree, changes, fork] = await Promise.all([
    repository.tree(commit),
    repository.changes(commit, limit),
    repository.forkPoint(commit),
  ])
  // What was added there since this branch left is not gone here.
  const shared = fork === undefined || fork === commit ? tree : await repository.tree(fork)
  const contents = await repository.contents(hashesOf([...tree, ...shared], changes))
  const history = new VersionHistory(contents, neverWritten)
  for (const { name, tree: state, changed } of statesOf(tree, changes)) history.add(name, state, changed)
  const last = new EarlierState(history.texts(shared))
  return {
    name: ref,
    events: last.events(),
    consumers: last.consumers(),
    versions: history.versions(),
    notes: [
      ...notesOf(ref, tree, repository, changes.length >= limit ? limit : undefined),
      ...(sameTree(tree, shared)
        ? []
        : [
            `${ref} has changes of the contracts that this branch lacks; if a break is about one of them, merge ${ref} first`,
          ]),
    ],
  }
}

function notesOf(ref: string, tree: ReadonlyMap<string, string>, repository: GitRepository, cutAt: number | undefined) {
  return [
    ...(tree.size === 0
      ? [`${ref} has no files in ${repository.prefix || 'this folder'}: every event is new to it`]
      : []),
    ...(repository.shallow
      ? [
          'this repository was cloned without its whole history, so older versions were not compared; git fetch --unshallow brings them',
        ]
      : []),
    ...(cutAt === undefined ? [] : [`only the last ${cutAt} changes of the contracts were looked at`]),
  ]
}

function sameTree(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([path, hash]) => other.get(path) === hash)
}

function* hashesOf(tree: Iterable<readonly [string, string]>, changes: readonly GitChange[]): Generator<string> {
  for (const [path, hash] of tree) if (/\.(avsc|yaml)$/.test(path)) yield hash
  for (const { files } of changes)
    for (const { path, before, after } of files) {
      if (!path.endsWith('.avsc')) continue
      if (before !== undefined) yield before
      if (after !== undefined) yield after
    }
}

interface State {
  readonly name: string
  /** Hashes by path. */
  readonly tree: ReadonlyMap<string, string>
  /** What is not as it was in the state before; all of it in the first. */
  readonly changed: ReadonlySet<string>
}

/** Every state the folder has had, oldest first: the last one, with its changes taken back one by one. */
function statesOf(last: ReadonlyMap<string, string>, changes: readonly GitChange[]): readonly State[] {
  const states: State[] = []
  const tree = new Map(last)
  for (const change of changes) {
    const changed = change.files.filter(({ path }) => path.endsWith('.avsc'))
    if (changed.length > 0) {
      const name = `${change.commit.slice(0, 7)} (${change.committedAt.slice(0, 10)})`
      states.push({ name, tree: new Map(tree), changed: new Set(changed.map(({ path }) => path)) })
    }
    for (const { path, before } of change.files) {
      if (before === undefined) tree.delete(path)
      else tree.set(path, before)
    }
  }
  const [oldest] = states.splice(-1)
  // Where the history is cut off, the oldest state has files that no change in sight brought.
  if (oldest !== undefined) states.push({ ...oldest, changed: new Set(oldest.tree.keys()) })
  return states.reverse()
}

interface EventHistory {
  readonly list: DataVersion[]
  readonly shapes: Set<string>
  /** What it leaned on last. */
  files: ReadonlySet<string>
}

/** Gathers the versions of each event from the states, each version once. */
class VersionHistory {
  readonly #contents: ReadonlyMap<string, string>
  readonly #neverWritten: ReadonlySet<string>
  readonly #events = new Map<string, EventHistory>()

  constructor(contents: ReadonlyMap<string, string>, neverWritten: ReadonlySet<string>) {
    this.#contents = contents
    this.#neverWritten = neverWritten
  }

  add(name: string, tree: ReadonlyMap<string, string>, changed: ReadonlySet<string>): void {
    const state = new EarlierState(this.texts(tree))
    for (const event of state.eventFiles()) {
      const key = eventKey(event)
      const history = this.#events.get(key) ?? { list: [], shapes: new Set<string>(), files: new Set([event.file]) }
      this.#events.set(key, history)
      if (!changed.has(event.file) && ![...history.files].some((file) => changed.has(file))) continue
      const read = state.read(event.file)
      if (read?.schema.kind !== 'record') continue
      history.files = new Set([event.file, ...read.definedIn.values()])
      if ([...history.files].some((file) => this.#neverWritten.has(tree.get(file) ?? ''))) continue
      const shape = shapeOf(read.schema)
      if (history.shapes.has(shape)) continue
      history.shapes.add(shape)
      const definedIn = new Map([...read.definedIn].map(([type, file]) => [type, { file, hash: tree.get(file) }]))
      history.list.push({ name, schema: envelopeRecord(read.schema), definedIn })
    }
  }

  versions(): ReadonlyMap<string, readonly DataVersion[]> {
    return new Map([...this.#events].map(([key, { list }]) => [key, list]))
  }

  texts(tree: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const texts = new Map<string, string>()
    for (const [path, hash] of tree) {
      const text = this.#contents.get(hash)
      if (text !== undefined) texts.set(path, text)
    }
    return texts
  }
}

/** What counts when data is read: words about it do not. */
function shapeOf(schema: AvroRecord): string {
  return JSON.stringify(printAvroSchema(schema), (name, value) => (name === 'doc' ? undefined : value))
}
