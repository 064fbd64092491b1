import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import type { AsyncApiServer } from '@evtkit/sdk/contracts'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { usageError } from '../command-error.ts'
import { readTree } from '../connect.ts'

export const asyncapi: CommandSpec = {
  path: 'asyncapi',
  summary: 'describe the contracts as an AsyncAPI 3 document',
  description: `Topics become channels with their Kafka settings, versions of events become messages with their envelope in Avro, owners and consumer groups become operations. Personal fields are listed in x-pii.

Without --server the document names no brokers; with it, it also names the schema registry of the settings.`,
  options: [
    new Option('--out <file>', 'file to write (default: standard output)'),
    new Option('--format <format>', 'form of the document (default: by the name of the file, else yaml)').choices([
      'json',
      'yaml',
    ]),
    new Option('--title <text>', 'title of the document').default('Events'),
    new Option('--document-version <version>', 'version of the document').default('1.0.0'),
    new Option('--owner <name>', 'only what this owner sends and receives'),
    new Option('--server <name=host:port...>', 'brokers to name'),
    new Option('--check', 'write nothing; end with 3 when the file is not what would be written'),
  ],
  examples: [
    ['evt asyncapi --out docs/asyncapi.yaml', 'Writes the document of all contracts.'],
    ['evt asyncapi --owner orders --format json', 'Prints what the owner orders sends and receives.'],
    ['evt asyncapi --server production=kafka.example.com:9092', 'Names the brokers and the schema registry.'],
    ['evt asyncapi --out docs/asyncapi.yaml --check', 'For CI: fails when somebody forgot to write it anew.'],
  ],
  async run({ options, output, settings }) {
    const { out, owner, check } = options
    const file = typeof out === 'string' ? resolve(out) : undefined
    if (check === true && file === undefined)
      throw usageError('--check needs a file to look at', 'evt asyncapi --check --out docs/asyncapi.yaml')
    const used = await settings()
    const { asyncApiDocument } = await import('@evtkit/sdk/contracts')
    const document = asyncApiDocument(await readTree(used), {
      title: String(options.title),
      version: String(options.documentVersion),
      servers: serversOf(options.server, used.kafka.ssl),
      ...(used.registryUrl !== undefined && { registryUrl: used.registryUrl }),
      ...(typeof owner === 'string' && { owner }),
    })
    const text = await textOf(document, options.format ?? (file?.endsWith('.json') ? 'json' : 'yaml'))
    if (file === undefined) {
      output.raw(text)
      return exitCodes.ok
    }
    const there = await readFile(file, 'utf8').catch(() => undefined)
    const stale = there?.replaceAll('\r\n', '\n') !== text
    const name = relative('.', file)
    output.record({ file: name, stale })
    if (!stale) output.note(`${name} is up to date.`)
    else if (check === true) output.note(`${name} is stale; next: evt asyncapi --out ${name}`)
    else {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
      output.note(`${name} written.`)
    }
    return stale && check === true ? exitCodes.checkFailed : exitCodes.ok
  },
}

function serversOf(given: unknown, tls: boolean): Record<string, AsyncApiServer> {
  const servers: Record<string, AsyncApiServer> = {}
  for (const one of Array.isArray(given) ? given.map(String) : []) {
    const [, name, host] = /^([A-Za-z0-9_-]+)=([^/@\s]+:\d+)$/.exec(one) ?? []
    if (name === undefined || host === undefined)
      throw usageError(`--server ${one} is not a name and a broker`, '--server production=kafka.example.com:9092')
    servers[name] = { host, tls }
  }
  return servers
}

async function textOf(document: unknown, format: unknown): Promise<string> {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`
  const { stringify } = await import('yaml')
  // Without folding and anchors, so that a diff shows the change and nothing else.
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}
