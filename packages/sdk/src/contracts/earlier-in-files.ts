import { envelopeRecord } from '../registry/envelope-record.ts'
import type { ContractFiles } from './contract-files.ts'
import { type EarlierContracts, eventKey } from './earlier-contracts.ts'
import { EarlierState } from './earlier-state.ts'

/** Contracts in a folder, as they were released, say: one version of each event. */
export async function earlierInFiles(files: ContractFiles, name: string): Promise<EarlierContracts> {
  const texts = new Map<string, string>()
  for (const path of await files.list()) if (/\.(avsc|yaml)$/.test(path)) texts.set(path, await files.read(path))
  const state = new EarlierState(texts)
  const events = state.events()
  return {
    name,
    events,
    consumers: state.consumers(),
    versions: new Map(
      events.map((event) => {
        const files = state.read(event.file)?.definedIn ?? new Map<string, string>()
        const definedIn = new Map([...files].map(([type, file]) => [type, { file, hash: undefined }]))
        return [eventKey(event), [{ name, schema: envelopeRecord(event.data), definedIn }]]
      }),
    ),
    notes: events.length === 0 ? [`${name} has no events: every event is new to it`] : [],
  }
}
