import { Option } from 'commander'
import { type CommandSpec, exitCodes } from '../command.ts'
import { connectRegistry, readTree } from '../connect.ts'

export const schemaPush: CommandSpec = {
  path: 'schema push',
  summary: 'register the schemas of the contracts in the registry',
  description: `Registers the envelope of each event under the subject <topic>-<record>Envelope, for services to look up; they never register anything themselves. Run it from CI, before the services that write with the new schemas are deployed.

The registry is asked about all of them first, and when it refuses one nothing is registered. What is there already stays as it is, so running it again changes nothing. A registry has no way to take several at once: if it goes away half-way, run it again.

Ends with 3 when the registry refuses a schema.`,
  args: [['[events...]', 'only these, such as OrderCreated or OrderCreated.v1']],
  options: [
    new Option('--dry-run', 'only say what would be registered'),
    new Option('--compatibility <mode>', 'also set this level for each subject').choices([
      'NONE',
      'BACKWARD',
      'BACKWARD_TRANSITIVE',
      'FORWARD',
      'FORWARD_TRANSITIVE',
      'FULL',
      'FULL_TRANSITIVE',
    ]),
  ],
  completes: 'events',
  examples: [
    ['evt schema push --dry-run', 'Shows what is new to the registry, and what it would refuse.'],
    ['evt schema push --compatibility BACKWARD_TRANSITIVE', 'Registers, and lets the registry guard the same rule.'],
  ],
  async run({ args, options, output, settings }) {
    const { compatibilityModes } = await import('@evtkit/sdk/avro')
    const { pushSchemas } = await import('@evtkit/sdk/contracts')
    const current = await settings()
    const contracts = await readTree(current)
    const registry = await connectRegistry(current)
    const compatibility = compatibilityModes.find((mode) => mode === options.compatibility)
    try {
      const { schemas, accepted, dryRun } = await pushSchemas({
        contracts,
        registry,
        events: args,
        dryRun: options.dryRun === true,
        ...(compatibility !== undefined && { compatibility }),
      })
      output.table(
        [
          { key: 'subject', title: 'subject' },
          { key: 'state', title: 'state' },
          { key: 'subjectVersion', title: 'version' },
          { key: 'id', title: 'id' },
        ],
        schemas.map((schema) => ({ ...schema, id: schema.id ?? null, subjectVersion: schema.subjectVersion ?? null })),
      )
      for (const { subject, state, reasons } of schemas)
        if (state === 'refused') for (const reason of reasons) output.warn(`${subject}: ${reason}`)
      const fresh = schemas.filter(({ state }) => state === 'new').length
      if (!accepted) {
        output.note(`${registry.place} refuses; nothing was registered. Next: evt schema check --against registry`)
        return exitCodes.checkFailed
      }
      output.note(
        fresh === 0
          ? `All ${schemas.length} schemas are registered in ${registry.place}.`
          : dryRun
            ? `${fresh} of ${schemas.length} schemas would be registered in ${registry.place}. Next: evt schema push`
            : `${fresh} of ${schemas.length} schemas were registered in ${registry.place}.`,
      )
      return exitCodes.ok
    } finally {
      await registry.close()
    }
  },
}
