export { APICURIO_VERSION } from './apicurio-app.ts'
export { type ApicurioServer, attachApicurio, type StartApicurioOptions, startApicurio } from './apicurio-server.ts'
export { LocalStackError, type LocalStackErrorCode } from './errors.ts'
export type { Direction, Fault, FaultOptions } from './fault.ts'
export { createFaultProxy, type FaultProxy } from './fault-proxy.ts'
export { createPostgresFaultProxy, type PostgresFaultProxy, type Wording } from './fault-proxy-postgres.ts'
export { createTcpFaultProxy } from './fault-proxy-tcp.ts'
export { withFileLock } from './file-lock.ts'
export { findFreePort, isPortFree, requireFreePort } from './free-port.ts'
export { findJava, type JavaRuntime } from './java-home.ts'
export {
  type AnyKafka,
  type ComposeKafka,
  type ExternalKafka,
  locateKafka,
  type ProvideKafkaOptions,
  provideKafka,
} from './kafka.ts'
export { API_KEYS, type ApiKey, type KafkaRequest } from './kafka-frame.ts'
export { KAFKA_VERSION } from './kafka-jars.ts'
export type { DumpedRecord } from './kafka-log-dump-parser.ts'
export { attachKafka, type KafkaServer, type StartKafkaOptions, startKafka } from './kafka-server.ts'
export { type FetchJarsOptions, fetchJars, type MavenJars } from './maven-jars.ts'
export {
  type AnyPostgres,
  type ComposePostgres,
  type ExternalPostgres,
  locatePostgres,
  type ProvidePostgresOptions,
  providePostgres,
} from './postgres.ts'
export type { PostgresDatabase } from './postgres-database.ts'
export type { PostgresMessage } from './postgres-frame.ts'
export { attachPostgres, type PostgresServer, type StartPostgresOptions, startPostgres } from './postgres-server.ts'
export { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'
export { type Progress, printProgress } from './progress.ts'
export type { ProxyLink } from './proxy-link.ts'
export type { CutOptions, FaultProxyOptions, SlowOptions, TcpFaultProxy } from './proxy-server.ts'
export {
  type AnyRegistry,
  type ComposeRegistry,
  type ExternalRegistry,
  locateRegistry,
  type ProvideRegistryOptions,
  provideRegistry,
} from './registry.ts'
