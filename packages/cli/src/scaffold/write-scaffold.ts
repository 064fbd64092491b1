import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { applyGenerated, compareGenerated, folderFiles, generate, readContracts } from '@evtkit/sdk/contracts'
import { CommandError } from '../command-error.ts'
import { manifest, type Scaffold, scaffoldFiles } from './scaffold-files.ts'

/**
 * Writes a service into a folder. Of what is there already only `package.json` is added to.
 *
 * @returns the paths that were written, relative to the folder
 * @throws CommandError that names the files which would have to be overwritten; then nothing is written
 */
export async function writeScaffold(folder: string, scaffold: Scaffold): Promise<readonly string[]> {
  const files = new Map(scaffoldFiles(scaffold))
  const inTheWay = [...files.keys()].filter((path) => path !== 'package.json' && existsSync(join(folder, path)))
  if (inTheWay.length > 0)
    throw new CommandError(`${folder} already has ${inTheWay.join(', ')}; nothing was written`, {
      next: 'evt init <another folder>, or move these files away',
    })
  const manifestPath = join(folder, 'package.json')
  if (existsSync(manifestPath))
    files.set('package.json', `${JSON.stringify(manifest(scaffold, readManifest(manifestPath)), undefined, 2)}\n`)
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const contracts = await readContracts(folderFiles(join(folder, 'schemas')))
  const generated = join(folder, 'src/contracts')
  const changes = await compareGenerated(generated, generate(contracts))
  await applyGenerated(generated, changes)
  return [...files.keys(), ...changes.map(({ path }) => `src/contracts/${path}`)]
}

function readManifest(path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new CommandError(`${path} cannot be read`, { cause, next: 'correct it, or evt init <another folder>' })
  }
}
