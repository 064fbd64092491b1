import type { AvroSchema } from '@evtkit/sdk/avro'
import type { Contracts, EventContract } from '@evtkit/sdk/contracts'
import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { connectRegistry, readTree } from '../connect.ts'
import { nearest } from '../nearest.ts'

export const schemaShow: CommandSpec = {
  path: 'schema show',
  summary: 'show the fields of an event, or of a subject of the registry',
  description:
    'Shows each field with its type, its default and what it means. An event is named by its type, for the newest version, or by type and version. A name with a hyphen that is no event is a subject, and is shown as the registry has it.',
  args: [
    ['<event|subject>', 'such as OrderCreated, PaymentFailed.v1 or order-events-shop.orders.v1.OrderCreatedEnvelope'],
  ],
  options: [
    new Option('--avro', 'print the whole Avro document, as it is registered'),
    new Option('--subject-version <n>', 'version of the subject (default: the last)'),
  ],
  completes: 'events',
  examples: [
    ['evt schema show OrderCreated', 'Shows what is in an order.'],
    ['evt schema show OrderCreated --avro > OrderCreated.avsc', 'Writes the document that is registered.'],
  ],
  async run({ args, options, output, settings }) {
    const [name = ''] = args
    const current = await settings()
    const { subjectAndDocument } = await import('@evtkit/sdk/contracts')
    const contracts = await readTree(current)
    const event = findEvent(contracts, name)
    if (event !== undefined && options.subjectVersion === undefined) {
      const { subject, document } = subjectAndDocument(event)
      if (options.avro === true) output.raw(`${JSON.stringify(document, null, 2)}\n`)
      else {
        const readers = contracts.consumers.filter(({ events }) => events.includes(event.type))
        output.line(`${output.style.bold(`${event.type} ${event.version}`)}  ${event.data.doc ?? ''}`)
        output.line(`topic ${event.topic.name}, key ${event.key}, subject ${subject}`)
        output.line(`read by ${readers.map(({ group }) => group).join(', ') || 'nobody in consumers.yaml'}`)
        output.line()
        output.table(columns, await fieldRows(event.data))
      }
      return exitCodes.ok
    }
    if (!name.includes('-')) {
      const like = nearest(
        name,
        contracts.events.map(({ type }) => type),
      )
      throw new CommandError(`there is no event ${name}`, {
        exitCode: exitCodes.usage,
        next: like === undefined ? 'evt schema list shows the events' : `evt schema show ${like}`,
      })
    }
    const registry = await connectRegistry(current)
    try {
      const number = options.subjectVersion === undefined ? 'latest' : Number(options.subjectVersion)
      const found = await registry.version(name, number)
      if (found === undefined)
        throw new CommandError(
          `the registry has no subject ${name}${number === 'latest' ? '' : ` version ${number}`}`,
          {
            next: 'evt schema list --subjects shows those there are',
          },
        )
      if (options.avro === true) output.raw(`${JSON.stringify(found.document, null, 2)}\n`)
      else {
        const { parseAvroSchema } = await import('@evtkit/sdk/avro')
        output.line(`${output.style.bold(name)}  version ${found.version}, id ${found.id}`)
        output.line()
        output.table(columns, await fieldRows(parseAvroSchema(found.document, { title: name })))
      }
      return exitCodes.ok
    } finally {
      await registry.close()
    }
  },
}

const columns = ['field', 'type', 'default', 'doc'].map((key) => ({ key, title: key }))

/** The newest version, when none is named. */
export function findEvent(contracts: Contracts, name: string): EventContract | undefined {
  return contracts.events.findLast((event) => event.type === name || `${event.type}.${event.version}` === name)
}

/** A row for each field, those of records within under their path. A type that is used again is not opened again. */
async function fieldRows(schema: AvroSchema) {
  const { describeType } = await import('@evtkit/sdk/avro')
  const rows: Record<string, unknown>[] = []
  const open = new Set<AvroSchema>()
  const visit = (type: AvroSchema, path: string): void => {
    if (type.kind === 'array') visit(type.items, `${path}[]`)
    else if (type.kind === 'map') visit(type.values, `${path}{}`)
    else if (type.kind === 'union') for (const branch of type.branches) visit(branch, path)
    else if (type.kind === 'record' && !open.has(type)) {
      open.add(type)
      for (const field of type.fields) {
        const at = path === '' ? field.name : `${path}.${field.name}`
        const symbols = symbolsOf(field.type)
        rows.push({
          field: at,
          type: symbols === undefined ? describeType(field.type) : `${describeType(field.type)}: ${symbols}`,
          ...(field.default !== undefined && { default: JSON.stringify(field.default.value) }),
          doc: `${field.attributes.pii === true ? '(personal) ' : ''}${field.doc ?? ''}`,
        })
        visit(field.type, at)
      }
    }
  }
  visit(schema, '')
  return rows
}

function symbolsOf(type: AvroSchema): string | undefined {
  if (type.kind === 'union') return type.branches.map(symbolsOf).find((symbols) => symbols !== undefined)
  return type.kind === 'enum' ? type.symbols.join(', ') : undefined
}
