import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import {
  type ContractFiles,
  checkContracts,
  earlierInFiles,
  folderFiles,
  generate,
  readContracts,
} from '@evtkit/sdk/contracts'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const schemas = join(root, 'schemas')
const generated = join(import.meta.dirname, 'generated')

/** The contracts with one more field in every event. */
function withFieldEverywhere(field: object): ContractFiles {
  const files = folderFiles(schemas)
  return {
    list: () => files.list(),
    async read(path) {
      const text = await files.read(path)
      if (!/\.v\d+\.avsc$/.test(path)) return text
      const record = JSON.parse(text)
      return JSON.stringify({ ...record, fields: [...record.fields, field] })
    },
  }
}

/** What the compiler says of the shop when files hold other texts than on the disk. */
function complaints(texts: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const shop = { ...config, include: ['examples/shop', 'test'] }
  const { options, fileNames } = ts.parseJsonConfigFileContent(shop, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const read = host.readFile.bind(host)
  const source = host.getSourceFile.bind(host)
  host.readFile = (file) => texts.get(resolve(file)) ?? read(file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = texts.get(resolve(file))
    return text === undefined ? source(file, version, ...rest) : ts.createSourceFile(file, text, version)
  }
  const program = ts.createProgram(fileNames, options, host)
  return fileNames.flatMap((name) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(name))
      .map(({ messageText }) => `${relative(root, name)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
  )
}

async function generatedFrom(files: ContractFiles): Promise<ReadonlyMap<string, string>> {
  const written = generate(await readContracts(files))
  return new Map(written.map(({ path, text }) => [join(generated, path), text]))
}

test('every event may get a field with a default, and no service has to be changed', async () => {
  const field = { name: 'addedLater', type: ['null', 'string'], doc: 'Was not there before.', default: null }
  const edited = withFieldEverywhere(field)
  const earlier = await earlierInFiles(folderFiles(schemas), 'before')
  expect(checkContracts({ contracts: await readContracts(edited), earlier }).findings).toEqual([])

  const texts = await generatedFrom(edited)
  expect(texts.get(join(generated, 'orders/order-created.v1.ts'))).toContain('readonly addedLater?: string | null')
  expect(texts.get(join(generated, 'index.ts'))).toBe(readFileSync(join(generated, 'index.ts'), 'utf8'))
  expect(complaints(texts)).toEqual([])
})
