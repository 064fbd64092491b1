import { Option } from 'commander'
import { type CommandSpec, exitCodes, type Invocation } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import { connectKafka, connectRegistry, readTree } from '../connect.ts'
import {
  chosenServers,
  type DevServer,
  dataFolder,
  dataOption,
  devServers,
  onlyOption,
  provideServer,
  variableOf,
} from '../dev-stack.ts'
import type { Settings } from '../settings.ts'

export const devUp: CommandSpec = {
  path: 'dev up',
  summary: 'start Kafka, PostgreSQL and a schema registry on this computer',
  description: `Starts what does not run yet, by Docker Compose where there is a compose.yaml of this project and an engine,
otherwise as processes: Kafka and Apicurio Registry on the installed JDK, PostgreSQL from the installed programs. The first
start fetches Kafka and Apicurio. They go on after this command; evt dev down ends them. A server named by KAFKA_BROKERS,
DATABASE_URL or SCHEMA_REGISTRY_URL is used as it is, and --contracts leaves it alone.`,
  options: [
    onlyOption(),
    dataOption(),
    new Option('--contracts', 'then create the topics of the contracts and register their schemas'),
    new Option('--env', 'print the addresses as lines for a shell: eval "$(evt dev up --env)"'),
    ...devServers.map((name) => new Option(`--${name}-port <port>`, `port of ${name} (default: a free one)`)),
  ],
  examples: [
    ['evt dev up', 'Starts all three and prints where they are.'],
    ['eval "$(evt dev up --contracts --env)"', 'Makes them ready for the contracts, and known to the shell.'],
    ['evt dev up --only kafka --kafka-port 9092', 'Only a broker, where many tools look for one.'],
  ],
  async run(invocation) {
    const { output, options } = invocation
    const settings = await invocation.settings()
    const names = chosenServers(options.only)
    const ports = names.map((name) => portOf(options[`${name}Port`], `--${name}-port`))
    const results = await Promise.allSettled(
      names.map((name, i) =>
        provideServer(name, {
          dataDir: dataFolder(settings, options.data, name),
          port: ports[i],
          progress: (text) => output.note(text),
        }),
      ),
    )
    const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    for (const { name, address, origin, pid, ranAlready } of servers) {
      output.record({ server: name, variable: variableOf[name], address, origin, pid: pid ?? null, ranAlready })
      if (origin === 'external') output.note(`${name} is not ours: ${variableOf[name]} names it.`)
      else if (ranAlready) output.note(`${name} is already running.`)
      if (options.env !== true) output.line(`${variableOf[name]}=${address}`)
      else if (!output.json) output.raw(`export ${variableOf[name]}='${address.replaceAll("'", "'\\''")}'\n`)
    }
    if (failed.length > 0) {
      const reasons = failed.map((error) => (error instanceof Error ? error.message : String(error)))
      throw new CommandError(`${failed.length} of ${names.length} servers did not start: ${reasons.join('; ')}`, {
        cause: failed[0],
        next: 'do what the message says, then evt dev up again; --only leaves servers out',
      })
    }
    if (options.contracts !== true) return exitCodes.ok
    return (await carryOutContracts(settings, servers, invocation)) ? exitCodes.ok : exitCodes.failed
  },
}

/** Tells whether all of it could be done. What somebody else runs is left alone: there a plan is looked at first. */
async function carryOutContracts(
  settings: Settings,
  servers: readonly DevServer[],
  { output }: Invocation,
): Promise<boolean> {
  const { silentLogger } = await import('@evtkit/sdk')
  const contracts = await readTree(settings)
  let complete = true
  const addressOf = (name: 'kafka' | 'registry') => {
    const server = servers.find((candidate) => candidate.name === name)
    if (server?.origin !== 'external') return server?.address
    const commands = name === 'kafka' ? 'evt topics plan, then evt topics apply' : 'evt schema push'
    output.warn(`${variableOf[name]} names ${server.address}, so nothing is changed there; to do it, ${commands}`)
    return undefined
  }
  // Here is what was started, whatever the settings name for other commands.
  const here: Settings = {
    ...settings,
    brokers: addressOf('kafka')?.split(','),
    kafka: { ssl: false, ca: undefined, cert: undefined, key: undefined, sasl: undefined },
    registryUrl: addressOf('registry'),
    registryAuth: undefined,
    registryCa: undefined,
  }
  if (here.brokers !== undefined) {
    const { applyTopicPlan, planTopics } = await import('@evtkit/sdk/topics')
    const { stepText } = await import('../topic-plan-view.ts')
    const kafka = await connectKafka(here, { logger: silentLogger })
    try {
      const plan = await planTopics({ admin: kafka, wanted: contracts.topics })
      for (const step of plan.steps)
        if (step.action === 'create' || step.action === 'change') output.note(stepText(step))
      const done = await applyTopicPlan({ admin: kafka, plan })
      output.note(`Topics: ${done.length} created or changed, ${contracts.topics.length} in the contracts.`)
      for (const { topic, action, remarks } of plan.steps) {
        if (action !== 'refuse') continue
        complete = false
        output.warn(`${topic}: ${remarks.join('; ')}`)
      }
    } finally {
      await kafka.close().catch(() => {})
    }
  }
  if (here.registryUrl !== undefined) {
    const { pushSchemas } = await import('@evtkit/sdk/contracts')
    const registry = await connectRegistry(here, { logger: silentLogger })
    try {
      const { schemas } = await pushSchemas({ contracts, registry })
      const count = (state: string) => schemas.filter((schema) => schema.state === state).length
      output.note(`Schemas: ${count('new')} registered, ${count('unchanged')} were there already.`)
      for (const { event, version, state, reasons } of schemas) {
        if (state !== 'refused') continue
        complete = false
        output.warn(`${event} ${version} is refused: ${reasons.join('; ')}`)
      }
    } finally {
      await registry.close()
    }
  }
  return complete
}

function portOf(value: unknown, option: string): number | undefined {
  if (value === undefined) return undefined
  const port = Number(value)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw usageError(`${option} needs a port from 1 to 65535, got ${JSON.stringify(value)}`)
  return port
}
