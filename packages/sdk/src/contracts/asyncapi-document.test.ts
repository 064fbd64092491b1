import { AvroSchemaParser } from '@asyncapi/avro-schema-parser'
import { Parser } from '@asyncapi/parser'
import { expect, test } from 'vitest'
import { asyncApiDocument } from './asyncapi-document.ts'
import { folderFiles } from './contract-files.ts'
import { readContracts } from './read-contracts.ts'

test('x', async () => {
  const c = await readContracts(folderFiles('schemas'))
  const parser = new Parser()
  parser.registerSchemaParser(AvroSchemaParser())
  for (const v of ['3.0.0', '3.1.0']) {
    const doc = {
      ...asyncApiDocument(c, {
        title: 'Shop',
        version: '1.0.0',
        servers: { main: { host: 'localhost:9092' } },
        registryUrl: 'http://u:p@localhost:8080/apis/ccompat/v7',
      }),
      asyncapi: v,
    }
    const { document, diagnostics } = await parser.parse(JSON.stringify(doc))
    console.log(
      v,
      JSON.stringify(
        diagnostics.map((d) => [d.code, d.severity, d.message, d.path.join('.')]),
        null,
        1,
      ).slice(0, 3000),
    )
    expect(document).toBeDefined()
    console.log(document?.operations().all().length, document?.messages().all().length)
  }
})
