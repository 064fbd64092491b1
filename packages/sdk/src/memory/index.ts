/** The embedded broker: everything in one process, nothing to install. */
export { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from './memory-broker.ts'
export type { LogRecord } from './partition-log.ts'
