/** Runs the built `evt` as a person's shell would. The build is made from the sources as they are, once for all test files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'tsup'

const cli = join(import.meta.dirname, '../..')
const packages = join(cli, '..')

export interface EvtResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Each line of standard output as JSON. */
  json(): readonly Record<string, unknown>[]
}

export interface EvtOptions {
  /** @default the folder of the CLI */
  readonly cwd?: string
  /** Besides PATH and HOME, all that `evt` sees of the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs `evt` to its end. */
export async function runEvt(argv: readonly string[], options: EvtOptions = {}): Promise<EvtResult> {
  const child = await startEvt(argv, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin?.end(options.input ?? '')
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  return {
    code,
    stdout,
    stderr,
    json: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  }
}

/** Starts `evt`, with pipes for its three streams. */
export async function startEvt(argv: readonly string[], options: EvtOptions = {}): Promise<ChildProcess> {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [await builtEvt(), ...argv], {
    cwd: options.cwd ?? cli,
    env: { PATH, HOME, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

let built: Promise<string> | undefined

/** Path of the built `main.js`. What is ours is bundled from its sources, so that nothing stale is tested. */
export function builtEvt(): Promise<string> {
  built ??= make()
  return built
}

async function make(): Promise<string> {
  const cache = join(cli, 'node_modules/.cache/evt')
  const folder = join(cache, fingerprint())
  const main = join(folder, 'dist/main.js')
  if (existsSync(main)) return main
  const draft = join(cache, `draft-${randomUUID()}`)
  mkdirSync(join(draft, 'dist'), { recursive: true })
  await build({
    entry: { main: join(cli, 'src/main.ts') },
    outDir: join(draft, 'dist'),
    tsconfig: join(packages, '../tsconfig.json'),
    config: false,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    noExternal: [/^@evtkit\//],
    external: [/^(?!@evtkit\/|[./])/],
    splitting: true,
    silent: true,
    esbuildOptions(options) {
      options.conditions = ['@evtkit/source']
    },
  })
  copyFileSync(join(cli, 'package.json'), join(draft, 'package.json'))
  try {
    renameSync(draft, folder)
  } catch {
    // Another worker was faster, and made the same.
    rmSync(draft, { recursive: true, force: true })
  }
  for (const old of readdirSync(cache))
    if (join(cache, old) !== folder && Date.now() - statSync(join(cache, old)).mtimeMs > 3_600_000)
      rmSync(join(cache, old), { recursive: true, force: true })
  return main
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const name of ['cli', 'sdk', 'local-stack'])
    for (const entry of readdirSync(join(packages, name, 'src'), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name)
        const { mtimeMs, size } = statSync(path)
        hash.update(`${path} ${mtimeMs} ${size}\n`)
      }
  hash.update(dirname(cli))
  return hash.digest('hex').slice(0, 16)
}
