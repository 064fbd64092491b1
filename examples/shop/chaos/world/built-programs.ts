import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'tsup'
import { checkout } from '../../stack/stack-folder.ts'

/** The programs of the world as one JavaScript file each: they start several times a minute, and TypeScript would take most of that time. */
export interface BuiltPrograms {
  readonly shop: string
  readonly carts: string
  /** To be loaded in front of each. */
  readonly endWithParent: string
  remove(): Promise<void>
}

export async function buildPrograms(): Promise<BuiltPrograms> {
  // Inside the checkout, where the packages that they import are found.
  const parent = join(checkout, '.evtkit')
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'chaos-programs-'))
  const source = join(checkout, 'examples', 'shop')
  await build({
    entry: {
      shop: join(source, 'process', 'main.ts'),
      carts: join(source, 'chaos', 'carts', 'main.ts'),
      'end-with-parent': join(source, 'chaos', 'world', 'end-with-parent.ts'),
    },
    outDir: folder,
    format: 'esm',
    target: 'node20',
    config: false,
    silent: true,
    clean: false,
    noExternal: [/^@evtkit/],
    external: [/^(?![./]|@evtkit)/],
    esbuildOptions(options) {
      options.conditions = ['@evtkit/source']
    },
  })
  return {
    shop: join(folder, 'shop.js'),
    carts: join(folder, 'carts.js'),
    endWithParent: join(folder, 'end-with-parent.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
