import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { withFileLock } from './file-lock.ts'

const MARKER = 'complete.json'

/** A folder of the cache that is filled from the network once. */
export interface FetchedFolder {
  /** Such as `kafka-4.3.1`. */
  readonly name: string
  /** @default the environment variable EVTKIT_CACHE_DIR, else `.cache/evtkit` in the home folder */
  readonly cacheDir: string | undefined
  /** Puts everything into the empty folder; resolves with the names, relative to it, of the files that make it whole. */
  fill(folder: string): Promise<readonly string[]>
}

/**
 * The path of the folder, filled. Calls at the same time from any process wait for the one that fills it, and one from which a
 * file has gone is filled again.
 */
export async function fetchFolder({ name, cacheDir, fill }: FetchedFolder): Promise<string> {
  const cache = cacheDir ?? process.env.EVTKIT_CACHE_DIR ?? join(homedir(), '.cache', 'evtkit')
  const target = join(cache, name)
  if (await isComplete(target)) return target
  await mkdir(cache, { recursive: true })
  await withFileLock(`${target}.lock`, async () => {
    if (!(await isComplete(target))) await fillBeside(target, fill)
  })
  return target
}

async function isComplete(target: string): Promise<boolean> {
  try {
    // Written by `fillBeside` below, so its shape is known.
    const marker = JSON.parse(await readFile(join(target, MARKER), 'utf8')) as { files: string[] }
    const folders = new Set(marker.files.map((file) => dirname(file)))
    const present = new Set<string>()
    for (const folder of folders)
      for (const name of await readdir(join(target, folder))) present.add(join(folder, name))
    return marker.files.length > 0 && marker.files.every((file) => present.has(file))
  } catch {
    return false
  }
}

/** Filled beside its final place and moved there when whole: an interrupted download is never taken for a good one. */
async function fillBeside(target: string, fill: FetchedFolder['fill']): Promise<void> {
  const partial = await mkdtemp(`${target}.partial-`)
  try {
    const files = await fill(partial)
    await writeFile(join(partial, MARKER), JSON.stringify({ files }, null, 2))
    await rm(target, { recursive: true, force: true })
    await rename(partial, target)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
