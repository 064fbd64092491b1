import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Contracts, EarlierContracts } from '@evtkit/sdk/contracts'
import { connectRegistry } from './connect.ts'
import type { Settings } from './settings.ts'

/**
 * What the contracts are compared with: `registry` or a URL, a folder, a git ref; when nothing is said, the branch that others
 * build on, or else what is committed here.
 */
export async function readBase(against: unknown, settings: Settings, contracts: Contracts): Promise<EarlierContracts> {
  const { earlierInFiles, earlierInGit, earlierInRegistry, folderFiles, readNeverWritten, usualBase } = await import(
    '@evtkit/sdk/contracts'
  )
  const folder = settings.schemas
  if (typeof against === 'string' && (against === 'registry' || /^https?:\/\//.test(against))) {
    const registry = await connectRegistry(against === 'registry' ? settings : elsewhere(settings, against))
    try {
      return await earlierInRegistry(contracts, registry)
    } finally {
      await registry.close()
    }
  }
  if (typeof against === 'string' && isFolder(against))
    return earlierInFiles(folderFiles(resolve(against)), `folder ${against}`)
  const ref = typeof against === 'string' ? against : await usualBase(folder)
  return earlierInGit({ folder, ref, neverWritten: await readNeverWritten(folderFiles(folder)) })
}

/** Another registry. What lets us into ours is nobody else's business. */
export function elsewhere(settings: Settings, url: string): Settings {
  const isOurs = settings.registryUrl !== undefined && originOf(settings.registryUrl) === originOf(url)
  return { ...settings, registryUrl: url, ...(!isOurs && { registryAuth: undefined }) }
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined
}

/** A branch may be called as a folder is; then `./name` is the folder. */
function isFolder(against: string): boolean {
  const path = resolve(against)
  return (
    existsSync(path) &&
    statSync(path).isDirectory() &&
    (/[/\\]/.test(against) || existsSync(resolve(path, 'topics.yaml')))
  )
}
