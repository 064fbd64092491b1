import { existsSync, readFileSync } from 'node:fs'
import type { Contracts } from '@evtkit/sdk/contracts'
import type { KafkaOptions, KafkaTransport } from '@evtkit/sdk/kafka'
import type { RegistryClient, RegistryClientOptions } from '@evtkit/sdk/registry'
import { exitCodes } from './command.ts'
import { CommandError, usageError } from './command-error.ts'
import type { Settings } from './settings.ts'

/** A Kafka client by the settings; opens nothing until it is used. @throws CommandError when no brokers are named */
export async function connectKafka(settings: Settings, options: Partial<KafkaOptions> = {}): Promise<KafkaTransport> {
  const { createKafka } = await import('@evtkit/sdk/kafka')
  return createKafka({ ...kafkaOptions(settings), ...options })
}

/** @throws CommandError when no brokers are named, or a file of certificates cannot be read */
export function kafkaOptions(settings: Settings): KafkaOptions {
  const { brokers, kafka } = settings
  if (brokers === undefined)
    throw usageError(
      'no Kafka brokers are named',
      'name them by --brokers host:port, EVT_BROKERS or "brokers" in evt.config.*; evt dev up starts one here',
    )
  const { sasl } = kafka
  return {
    brokers,
    clientId: 'evt',
    requestTimeoutMs: 10_000,
    ...(kafka.ssl && { ssl: tls(kafka) }),
    ...(sasl !== undefined && {
      sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password.reveal() },
    }),
  }
}

function tls({ ca, cert, key }: Settings['kafka']): NonNullable<KafkaOptions['ssl']> {
  if (ca === undefined && cert === undefined && key === undefined) return true
  return {
    ...(ca !== undefined && { ca: readPem(ca, 'kafka.ca') }),
    ...(cert !== undefined && { cert: readPem(cert, 'kafka.cert') }),
    ...(key !== undefined && { key: readPem(key, 'kafka.key') }),
  }
}

/**
 * A client of the schema registry by the settings; close it.
 *
 * @throws CommandError when no registry is named
 */
export async function connectRegistry(
  settings: Settings,
  options: Partial<RegistryClientOptions> = {},
): Promise<RegistryClient> {
  const { registryUrl: url, registryAuth: auth, registryCa } = settings
  if (url === undefined)
    throw usageError(
      'no schema registry is named',
      'name it by --registry <url>, EVT_REGISTRY or "registry" in evt.config.*; evt dev up starts one here',
    )
  const { createRegistryClient } = await import('@evtkit/sdk/registry')
  return createRegistryClient({
    url,
    ...(auth !== undefined && {
      auth:
        'token' in auth
          ? { bearer: auth.token.reveal() }
          : { basic: { username: auth.username, password: auth.password.reveal() } },
    }),
    ...(registryCa !== undefined && { tls: { ca: readPem(registryCa, 'registry.ca') } }),
    ...options,
  })
}

/**
 * The contracts of the tree that the settings name.
 *
 * @throws CommandError when there is no such folder
 * @throws InvalidContractError
 */
export async function readTree(settings: Settings): Promise<Contracts> {
  if (!existsSync(settings.schemas))
    throw usageError(
      `there is no folder of contracts ${settings.schemas}`,
      'name it by --schemas <folder>, EVT_SCHEMAS or "schemas" in evt.config.*; evt init makes a first one',
    )
  const { folderFiles, readContracts } = await import('@evtkit/sdk/contracts')
  return readContracts(folderFiles(settings.schemas))
}

function readPem(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CommandError(`the certificate file ${path} cannot be read`, {
      cause,
      next: `correct ${setting}`,
      exitCode: exitCodes.usage,
    })
  }
}
