import type { PartName } from '../platform/service.ts'

/** What stands in for the world outside: started before the services and stopped after them. */
export const outsideNames = ['mail-sink', 'payment-provider'] as const satisfies readonly PartName[]

/** The services that own a database, in the order of the main line. */
export const serviceNames = [
  'orders',
  'inventory',
  'payments',
  'shipping',
  'notifications',
] as const satisfies readonly PartName[]

/** The parts of the shop in the order of starting; the other way round they are stopped. */
export const partNames = [...outsideNames, ...serviceNames, 'gateway'] as const satisfies readonly PartName[]

/** The servers that the parts stand on; the schema registry only where something is or was written as Avro. */
export const serverNames = ['kafka', 'postgres', 'registry'] as const

export type ServiceName = (typeof serviceNames)[number]
export type ServerName = (typeof serverNames)[number]

/** Everything of the stack that can be named on the command line. */
export type MemberName = PartName | ServerName

export const memberNames: readonly MemberName[] = [...serverNames, ...partNames]

export function isService(name: MemberName): name is ServiceName {
  return serviceNames.some((service) => service === name)
}

export function isServer(name: MemberName): name is ServerName {
  return serverNames.some((server) => server === name)
}

/** The name of a service's database on the server of the stack. */
export function databaseName(service: ServiceName): string {
  return `shop_${service}`
}

export type { PartName }
