import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { KafkaTransport } from '@evtkit/sdk/kafka'
import type { Sql } from '@evtkit/sdk/postgres'
import type { RegistryClient } from '@evtkit/sdk/registry'
import { connectKafka, connectRegistry, readTree } from './connect.ts'
import { count } from './count.ts'
import { type Check, type Finding, skewFinding } from './diagnosis.ts'
import { registryDate } from './registry-date.ts'
import type { Settings } from './settings.ts'

const skipped = (what: string, how: string): Finding => ({ state: 'skip', says: `no ${what} is named (${how})` })
const noBroker = skipped('broker', '--brokers, EVT_BROKERS, "brokers"')
const noRegistry = skipped('registry', '--registry, EVT_REGISTRY, "registry"')
const noDatabase = skipped('database', '--database, EVT_DATABASE, "database"')

/** All checks, in the order in which they are printed. */
export function doctorChecks(settings: Settings): readonly Check[] {
  return [
    { name: 'node', run: async () => nodeFinding(process.versions.node) },
    { name: 'config', run: async () => configFinding(settings) },
    { name: 'packages', run: async () => packagesFinding(settings.root) },
    { name: 'contracts', run: () => contractsFinding(settings) },
    { name: 'broker', run: () => onKafka(settings, brokerFinding) },
    { name: 'topics', needs: 'broker', run: () => onKafka(settings, (kafka) => topicsFinding(settings, kafka)) },
    { name: 'registry', run: () => onRegistry(settings, (registry) => registryFinding(settings, registry)) },
    {
      name: 'schemas',
      needs: 'registry',
      run: () => onRegistry(settings, (registry) => schemasFinding(settings, registry)),
    },
    { name: 'database', run: () => onDatabase(settings, databaseFinding) },
    { name: 'clock', run: (signal) => clockFinding(settings, signal) },
  ]
}

/** @param version such as `20.19.0` */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return { state: 'ok', says: version }
  return { state: 'fail', says: `${version} is too old`, next: 'install Node 20.19 or newer' }
}

function configFinding({ configFile, context }: Settings): Finding {
  if (configFile === undefined)
    return { state: 'ok', says: 'no evt.config.* from here up to the git root; options and environment only' }
  return { state: 'ok', says: `${configFile}${context === undefined ? '' : `, context ${context}`}` }
}

/** What the SDK uses when it is there, and for what. */
const optionalPackages: readonly (readonly [name: string, use: string])[] = [
  ['kafkajs', 'Kafka'],
  ['pg', 'PostgreSQL'],
  ['yaml', 'the contracts as files'],
]

function packagesFinding(root: string): Finding {
  if (!existsSync(join(root, 'package.json'))) return { state: 'skip', says: `${root} has no package.json` }
  const load = createRequire(join(root, 'package.json'))
  const has = (name: string) => {
    try {
      return load.resolve.paths(name)?.some((folder) => existsSync(join(folder, name))) === true
    } catch {
      return false
    }
  }
  if (!has('@evtkit/sdk'))
    return { state: 'warn', says: `@evtkit/sdk is not installed in ${root}`, next: 'npm install @evtkit/sdk' }
  const missing = optionalPackages.filter(([name]) => !has(name))
  if (missing.length === 0)
    return { state: 'ok', says: `@evtkit/sdk, ${optionalPackages.map(([name]) => name).join(', ')}` }
  return {
    state: 'warn',
    says: `not installed: ${missing.map(([name, use]) => `${name} (for ${use})`).join(', ')}`,
    next: `npm install ${missing.map(([name]) => name).join(' ')}, for what you use`,
  }
}

async function contractsFinding(settings: Settings): Promise<Finding> {
  if (!existsSync(settings.schemas)) return { state: 'skip', says: `there is no folder ${settings.schemas}` }
  const { events, topics } = await readTree(settings)
  const types = new Set(events.map(({ type }) => type)).size
  return {
    state: 'ok',
    says: `${count(types, 'event')} in ${count(events.length, 'version')}, ${count(topics.length, 'topic')}`,
  }
}

async function brokerFinding(kafka: KafkaTransport): Promise<Finding> {
  const { clusterId, brokers } = await kafka.describeCluster()
  return {
    state: 'ok',
    says: `cluster ${clusterId}, ${count(brokers.length, 'broker')}: ${brokers.slice(0, 5).join(', ')}`,
  }
}

async function topicsFinding(settings: Settings, kafka: KafkaTransport): Promise<Finding> {
  if (!existsSync(settings.schemas)) return { state: 'skip', says: 'no contracts to compare with' }
  const { planTopics } = await import('@evtkit/sdk/topics')
  const { topics } = await readTree(settings)
  const { steps } = await planTopics({ admin: kafka, wanted: topics, allowDataLoss: true })
  const named = (...actions: readonly string[]) =>
    steps.filter(({ action }) => actions.includes(action)).map(({ topic }) => topic)
  const [missing, different] = [named('create'), named('change', 'refuse')]
  if (missing.length > 0)
    return { state: 'fail', says: `missing: ${missing.join(', ')}`, next: 'evt topics apply creates them' }
  if (different.length > 0)
    return {
      state: 'warn',
      says: `not as the contracts say: ${different.join(', ')}`,
      next: 'evt topics plan shows how',
    }
  return {
    state: 'ok',
    says:
      topics.length === 1
        ? 'the topic is as the contracts say'
        : `all ${topics.length} topics are as the contracts say`,
  }
}

async function registryFinding(settings: Settings, registry: RegistryClient): Promise<Finding> {
  const begin = performance.now()
  const types = await registry.schemaTypes()
  const ms = Math.round(performance.now() - begin)
  const level = await registry.compatibilityMode()
  const kind = settings.registryUrl?.includes('/apis/ccompat/') === true ? 'Apicurio' : "Confluent's API"
  const says = `${kind} at ${registry.place}, answers in ${ms} ms, compatibility ${level}`
  if (!types.includes('AVRO'))
    return {
      state: 'fail',
      says: `${says}, and takes no Avro (${types.join(', ')})`,
      next: 'name a registry that does',
    }
  if (level === 'NONE')
    return {
      state: 'warn',
      says,
      next: 'evt schema push --compatibility BACKWARD_TRANSITIVE; with NONE nothing keeps readers from breaking',
    }
  return { state: 'ok', says }
}

async function schemasFinding(settings: Settings, registry: RegistryClient): Promise<Finding> {
  if (!existsSync(settings.schemas)) return { state: 'skip', says: 'no contracts to compare with' }
  const { pushSchemas } = await import('@evtkit/sdk/contracts')
  const contracts = await readTree(settings)
  const { schemas } = await pushSchemas({ contracts, registry, dryRun: true })
  const named = (state: string) =>
    schemas.filter((schema) => schema.state === state).map(({ event, version }) => `${event}.${version}`)
  const [refused, missing] = [named('refused'), named('new')]
  if (refused.length > 0)
    return { state: 'fail', says: `the registry refuses ${refused.join(', ')}`, next: 'evt schema check says why' }
  if (missing.length > 0)
    return { state: 'warn', says: `not registered: ${missing.join(', ')}`, next: 'evt schema push' }
  return {
    state: 'ok',
    says: schemas.length === 1 ? 'the schema is registered' : `all ${schemas.length} are registered`,
  }
}

async function databaseFinding(sql: Sql, address: string): Promise<Finding> {
  const { migrationStatus } = await import('@evtkit/sdk/postgres')
  const { outboxMigrations } = await import('@evtkit/sdk/outbox')
  const { inboxMigrations } = await import('@evtkit/sdk/inbox')
  const { deadLetterMigrations } = await import('@evtkit/sdk/dead-letters')
  const { effectsMigrations } = await import('@evtkit/sdk/effects')
  const [row] = (await sql.query('select version()')).rows
  const version = /^PostgreSQL (\S+)/.exec(String(row?.version))?.[1] ?? 'unknown'
  const says = `PostgreSQL ${version} at ${placeOf(address)}`
  if (Number.parseInt(version, 10) < 14)
    return { state: 'fail', says: `${says} is too old`, next: 'use PostgreSQL 14 or newer' }
  const statuses = await Promise.all(
    [outboxMigrations, inboxMigrations, effectsMigrations, deadLetterMigrations].map((list) =>
      migrationStatus(sql, [list]),
    ),
  )
  // A feature of which nothing was ever applied is one that this database does not use.
  const used = statuses.filter(({ applied, changed }) => applied.length + changed.length > 0)
  const open = used.flatMap(({ pending, changed }) => [...pending, ...changed])
  if (open.length > 0)
    return {
      state: 'fail',
      says: `${says}: migrations are pending or were changed: ${open.join(', ')}`,
      next: 'run the migrations of the service: migrate(sql, [outboxMigrations, inboxMigrations, …])',
    }
  if (used.length === 0) return { state: 'ok', says: `${says}, without tables of outbox or inbox` }
  return { state: 'ok', says: `${says}, ${count(used.flatMap(({ applied }) => applied).length, 'migration')} applied` }
}

/** Host, port and database: a URL has more places for a password than one. */
function placeOf(address: string): string {
  if (!URL.canParse(address)) return 'the named address'
  const { host, pathname } = new URL(address)
  return `${host}${pathname}`
}

async function clockFinding(settings: Settings, signal: AbortSignal): Promise<Finding> {
  const findings: Finding[] = []
  if (settings.databaseUrl !== undefined)
    findings.push(
      // What does not answer is the finding of another check.
      ...(await answered(
        onDatabase(settings, async (sql) => {
          const begin = Date.now()
          const { rows } = await sql.query('select extract(epoch from clock_timestamp()) * 1000 as now')
          const end = Date.now()
          return skewFinding((begin + end) / 2 - Number(rows[0]?.now), (end - begin) / 2, 'the database')
        }),
      )),
    )
  if (settings.registryUrl !== undefined) {
    const begin = Date.now()
    const [date] = await answered(registryDate(settings, signal))
    const end = Date.now()
    // The header counts whole seconds, so what is meant lies up to one later.
    if (date !== undefined)
      findings.push(skewFinding((begin + end) / 2 - (date + 500), (end - begin) / 2 + 500, 'the registry'))
  }
  const worst = findings.find(({ state }) => state === 'fail') ?? findings.find(({ state }) => state === 'warn')
  if (worst !== undefined) return worst
  if (findings.length === 0)
    return { state: 'skip', says: 'no database and no registry that tells the time; brokers do not' }
  return { state: 'ok', says: findings.map(({ says }) => says).join('; ') }
}

/** The answer, if there was one. */
async function answered<Answer>(asked: Promise<Answer>): Promise<readonly Answer[]> {
  try {
    return [await asked]
  } catch {
    return []
  }
}

async function onKafka(settings: Settings, check: (kafka: KafkaTransport) => Promise<Finding>): Promise<Finding> {
  if (settings.brokers === undefined) return noBroker
  const { silentLogger } = await import('@evtkit/sdk')
  const kafka = await connectKafka(settings, {
    logger: silentLogger,
    requestTimeoutMs: 3000,
    connectionTimeoutMs: 2000,
  })
  try {
    return await check(kafka)
  } finally {
    await kafka.close(1000).catch(() => {})
  }
}

async function onRegistry(settings: Settings, check: (registry: RegistryClient) => Promise<Finding>): Promise<Finding> {
  if (settings.registryUrl === undefined) return noRegistry
  const { silentLogger } = await import('@evtkit/sdk')
  const registry = await connectRegistry(settings, { logger: silentLogger, timeoutMs: 3000, retries: 0 })
  try {
    return await check(registry)
  } finally {
    await registry.close()
  }
}

async function onDatabase(
  settings: Settings,
  check: (sql: Sql, address: string) => Promise<Finding>,
): Promise<Finding> {
  if (settings.databaseUrl === undefined) return noDatabase
  const { silentLogger } = await import('@evtkit/sdk')
  const { createPostgres } = await import('@evtkit/sdk/postgres')
  const sql = createPostgres({ connectionString: settings.databaseUrl, logger: silentLogger })
  try {
    return await check(sql, settings.databaseUrl)
  } finally {
    await sql.close().catch(() => {})
  }
}
