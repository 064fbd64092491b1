import type { AvroNamed } from '../avro/avro-schema.ts'
import type { Contracts } from './contracts.ts'
import type { GeneratedFile } from './generated-file.ts'
import { typesIn } from './schema-files.ts'
import { TypeScriptNames } from './typescript-names.ts'
import { compareText, TypeScriptWriter } from './typescript-writer.ts'

export interface GenerateOptions {
  /** What relative imports end in: `.js` for projects that are compiled before they run. @default '.ts' */
  readonly importExtension?: '.ts' | '.js'
}

/**
 * TypeScript for contracts: a file for each version of each event and each shared type, the topics, and an index with
 * `allEvents` (the newest version of each) and `allTopics`. The newest version of an event has its plain name, older ones
 * have theirs behind it: `PaymentFailed`, `PaymentFailedV1`. The same contracts always give the same files.
 */
export function generate(contracts: Contracts, { importExtension = '.ts' }: GenerateOptions = {}): GeneratedFile[] {
  const names = new TypeScriptNames(contracts)
  const types = new Map<string, AvroNamed>()
  for (const { data } of contracts.events) for (const type of typesIn(data)) types.set(type.name, type)
  const write = new TypeScriptWriter(names, [...types.values()], importExtension)
  const events = contracts.events.map((event) => write.event(event))
  const taken = new Set(events.map(({ path }) => path))
  const shared = new Set([...types.values()].map((type) => names.place(type)).filter((path) => !taken.has(path)))
  const files = [...events, ...[...shared].map((path) => write.shared(path)), write.topics(contracts.topics)]
  return [...files.sort((a, b) => compareText(a.path, b.path)), write.index(contracts, files)]
}
