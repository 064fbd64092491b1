import type { RegistryAnswer } from '../registry-exchange.ts'

/** A refusal of the registry, as its API words it. */
export class RegistryFault extends Error {
  readonly answer: RegistryAnswer

  /** @param code the API's own number; its first three digits are the status of HTTP. */
  constructor(code: number, message: string) {
    super(message)
    this.name = 'RegistryFault'
    this.answer = { status: Number(String(code).slice(0, 3)), body: { error_code: code, message } }
  }
}

/** The refusals, each with its number. */
export const faults = {
  subjectNotFound: (subject: string) => new RegistryFault(40401, `Subject '${subject}' not found.`),
  versionNotFound: (version: number | string) => new RegistryFault(40402, `Version ${version} not found.`),
  schemaNotFound: () => new RegistryFault(40403, 'Schema not found'),
  idNotFound: (id: number | string) => new RegistryFault(40403, `Schema ${id} not found`),
  subjectDeleted: (subject: string) =>
    new RegistryFault(
      40404,
      `Subject '${subject}' was soft deleted. Set permanent=true to delete it permanently; registering a schema makes it visible again.`,
    ),
  subjectNotDeleted: (subject: string) =>
    new RegistryFault(40405, `Subject '${subject}' was not deleted first before being permanently deleted`),
  versionDeleted: (subject: string, version: number) =>
    new RegistryFault(
      40406,
      `Subject '${subject}' version ${version} was soft deleted. Set permanent=true to delete it permanently`,
    ),
  versionNotDeleted: (subject: string, version: number) =>
    new RegistryFault(
      40407,
      `Subject '${subject}' version ${version} was not deleted first before being permanently deleted`,
    ),
  noCompatibility: (subject: string) =>
    new RegistryFault(40408, `Subject '${subject}' does not have subject-level compatibility configured`),
  noMode: (subject: string) =>
    new RegistryFault(40409, `Subject '${subject}' does not have subject-level mode configured`),
  incompatible: (message: string) => new RegistryFault(409, message),
  invalidSchema: (message: string) => new RegistryFault(42201, message),
  invalidVersion: (version: string) =>
    new RegistryFault(
      42202,
      `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
    ),
  invalidCompatibility: (levels: readonly string[]) =>
    new RegistryFault(42203, `Invalid compatibility level. Valid values are ${levels.join(', ')}`),
  invalidMode: (modes: readonly string[]) =>
    new RegistryFault(42204, `Invalid mode. Valid values are ${modes.join(', ')}`),
  notPermitted: (message: string) => new RegistryFault(42205, message),
  referenced: (subject: string, version: number) =>
    new RegistryFault(42206, `One or more references exist to version ${version} of subject '${subject}'`),
  malformed: (message: string) => new RegistryFault(400, message),
  unknownPath: () => new RegistryFault(404, 'HTTP 404 Not Found'),
  unknownMethod: () => new RegistryFault(405, 'HTTP 405 Method Not Allowed'),
} as const
