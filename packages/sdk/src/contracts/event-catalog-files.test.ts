import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { InvalidContractError } from '../core/errors.ts'
import { folderFiles } from './contract-files.ts'
import type { Contracts } from './contracts.ts'
import { eventCatalogFiles } from './event-catalog-files.ts'
import { compareCatalog } from './event-catalog-folder.ts'
import { applyGenerated } from './generated-folder.ts'
import { readContracts } from './read-contracts.ts'

const topics = `
namespace: shop
topics:
  note-events:
    partitions: 3
    retention: 30 days
    key: noteId
    owner: notes
    description: Notes {and} more
    events: [NoteTaken]
  partner-events:
    partitions: 1
    retention: forever
    key: noteId
    owner: partner
    description: Not ours
    external: true
    events: []
`
const consumers = `
consumers:
  readers:
    owner: reading
    events: [NoteTaken]
`
const note = (version: string) =>
  JSON.stringify({
    type: 'record',
    name: 'NoteTaken',
    namespace: `shop.notes.${version}`,
    doc: 'A <note> was taken.',
    fields: [
      { name: 'noteId', type: 'string', doc: 'Which | one.' },
      { name: 'author', type: ['null', 'string'], doc: 'Who.', default: null, pii: true },
      { name: 'lines', type: { type: 'array', items: 'string' }, doc: 'What.' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'When.' },
    ],
  })
const texts: Readonly<Record<string, string>> = {
  'topics.yaml': topics,
  'consumers.yaml': consumers,
  'notes/NoteTaken.v1.avsc': note('v1'),
  'notes/NoteTaken.v2.avsc': note('v2'),
}
const read = (files = texts) =>
  readContracts({ list: async () => Object.keys(files), read: async (path) => files[path] ?? '' })

const pageOf = (contracts: Contracts, path: string) => {
  const text = eventCatalogFiles(contracts).find((file) => file.path === path)?.text ?? ''
  const [, frontmatter = '', body = ''] = text.split(/^---$/m)
  const fields: unknown = parse(frontmatter)
  return { fields, body }
}

describe('the pages', () => {
  test('are one for each thing, with older versions and their schemas below the newest', async () => {
    expect(eventCatalogFiles(await read()).map(({ path }) => path)).toEqual([
      'channels/note-events/index.mdx',
      'channels/partner-events/index.mdx',
      'domains/notes/index.mdx',
      'events/NoteTaken/index.mdx',
      'events/NoteTaken/schema.avsc',
      'events/NoteTaken/versioned/1.0.0/index.mdx',
      'events/NoteTaken/versioned/1.0.0/schema.avsc',
      'services/notes/index.mdx',
      'services/partner/index.mdx',
      'services/reading/index.mdx',
      'teams/notes.mdx',
      'teams/partner.mdx',
      'teams/reading.mdx',
    ])
  })

  test('of an event say its channel, its owner, its schema and what is personal', async () => {
    const contracts = await read()
    const { fields, body } = pageOf(contracts, 'events/NoteTaken/index.mdx')
    expect(fields).toMatchObject({
      id: 'NoteTaken',
      version: '2.0.0',
      summary: 'A <note> was taken.',
      owners: ['notes'],
      channels: [{ id: 'note-events', version: '1.0.0' }],
      schemaPath: 'schema.avsc',
    })
    expect(body).toContain('Personal: `author`')
    expect(body).toContain('Sent by notes; read by readers')
    expect(body).toContain('note-events-shop.notes.v2.NoteTakenEnvelope')
    expect(body).toContain('| `author` | `null or string` | Who. |')
    expect(body).toContain('| `at` | `timestamp-millis` | When. |')
    expect(pageOf(contracts, 'events/NoteTaken/versioned/1.0.0/index.mdx').fields).toMatchObject({
      version: '1.0.0',
      deprecated: { message: 'Superseded by v2.' },
    })
  })

  test('of a service say what it sends and reads, and where', async () => {
    const contracts = await read()
    const both = ['1.0.0', '2.0.0'].map((version) => ({ id: 'NoteTaken', version }))
    const where = [{ id: 'note-events', version: '1.0.0' }]
    expect(pageOf(contracts, 'services/notes/index.mdx').fields).toMatchObject({
      id: 'notes-service',
      sends: both.map((one) => ({ ...one, to: where })),
      receives: [],
    })
    expect(pageOf(contracts, 'services/reading/index.mdx').fields).toMatchObject({
      sends: [],
      receives: both.map((one) => ({ ...one, from: where })),
    })
    expect(pageOf(contracts, 'services/partner/index.mdx').fields).toMatchObject({ externalSystem: true })
  })

  test('never let a word of the contracts become code', async () => {
    const contracts = await read()
    expect(pageOf(contracts, 'channels/note-events/index.mdx').body).toContain('Notes \\{and\\} more')
    const { body } = pageOf(contracts, 'events/NoteTaken/index.mdx')
    expect(body).toContain('A \\<note\\> was taken.')
    expect(body).toContain('| `noteId` | `string` | Which \\| one. |')
  })

  test('point only to what there is, for the contracts of this repository', async () => {
    const contracts = await readContracts(folderFiles(join(import.meta.dirname, '../../../../schemas')))
    const files = eventCatalogFiles(contracts)
    expect(eventCatalogFiles(contracts)).toEqual(files)
    const known = new Set<string>()
    const named: string[] = []
    for (const { path, text } of files.filter((file) => file.path.endsWith('.mdx'))) {
      const fields = parse(text.split(/^---$/m)[1] ?? '')
      known.add(path.startsWith('teams/') ? fields.id : `${fields.id} ${fields.version}`)
      for (const one of [...(fields.services ?? []), ...(fields.channels ?? [])]) named.push(`${one.id} ${one.version}`)
      for (const one of [...(fields.sends ?? []), ...(fields.receives ?? [])])
        for (const end of [one, ...(one.to ?? []), ...(one.from ?? [])]) named.push(`${end.id} ${end.version}`)
      named.push(...(fields.owners ?? []))
    }
    expect(named.length).toBeGreaterThan(100)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })
})

describe('a catalog on disk', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evt-catalog-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const write = async (contracts: Contracts) => {
    const changes = await compareCatalog(folder, eventCatalogFiles(contracts))
    await applyGenerated(folder, changes)
    return changes.map(({ kind, path }) => `${kind} ${path}`)
  }

  test('is written once, and then only where it differs', async () => {
    expect(await write(await read())).toHaveLength(13)
    expect(await write(await read())).toEqual([])
    const moved = { ...texts, 'topics.yaml': topics.replace('30 days', '90 days') }
    expect(await write(await read(moved))).toEqual(['change channels/note-events/index.mdx'])
  })

  test('loses the pages of what is no longer there, with their schemas, and no others', async () => {
    await write(await read())
    await mkdir(join(folder, 'events/ByHand'), { recursive: true })
    await writeFile(join(folder, 'events/ByHand/index.mdx'), '---\nid: ByHand\n---\n')
    const { 'notes/NoteTaken.v2.avsc': _gone, ...rest } = texts
    expect(await write(await read(rest))).toEqual(
      expect.arrayContaining([
        'change events/NoteTaken/index.mdx',
        'remove events/NoteTaken/versioned/1.0.0/index.mdx',
        'remove events/NoteTaken/versioned/1.0.0/schema.avsc',
      ]),
    )
    expect(await readFile(join(folder, 'events/ByHand/index.mdx'), 'utf8')).toContain('ByHand')
  })

  test('keeps a page that people wrote, and says so', async () => {
    await mkdir(join(folder, 'teams'))
    await writeFile(join(folder, 'teams/notes.mdx'), '---\nid: notes\n---\nWe.')
    await expect(write(await read())).rejects.toThrow(InvalidContractError)
    await expect(write(await read())).rejects.toThrow('stands where a generated page belongs')
  })
})
