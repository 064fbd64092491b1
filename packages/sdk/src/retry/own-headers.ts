import type { Header } from '../core/message.ts'

/**
 * Headers that retry topics and dead letters put before those of the record. All of them are always written, and the first of
 * each name is ours: so a record that came with a header of the same name gets it back, and can forge none.
 */
export const ownHeaderNames = {
  /** `retry`, or what a record of the dead-letter topic is. */
  kind: 'evtkit-kind',
  /** When the event is handed over again. Milliseconds since the epoch; empty in a dead letter. */
  due: 'evtkit-due',
  topic: 'evtkit-topic',
  partition: 'evtkit-partition',
  offset: 'evtkit-offset',
  /** Of the record as it first came. Milliseconds since the epoch; empty when it had none. */
  timestamp: 'evtkit-timestamp',
  /** How many attempts there were. */
  attemptCount: 'evtkit-attempt-count',
  /** The attempts that are kept, as JSON. */
  attempts: 'evtkit-attempts',
  /** Who handed it over again as a dead letter, why and when, as JSON. */
  redrives: 'evtkit-redrives',
  /** Key of the record, in a dead letter; there the record's own key is its identity. */
  key: 'evtkit-key',
  /** `true` when the record had no key. */
  keyless: 'evtkit-keyless',
} as const

export type OwnHeader = keyof typeof ownHeaderNames

const ownNames = Object.entries(ownHeaderNames) as readonly (readonly [OwnHeader, string])[] // keys of the table above
const byName = new Map<string, OwnHeader>(ownNames.map(([own, name]) => [name, own]))

/** Our headers, then those of the record. */
export function withOwnHeaders(own: Readonly<Record<OwnHeader, string | Buffer>>, record: readonly Header[]): Header[] {
  return [...ownNames.map(([key, name]): Header => [name, Buffer.from(own[key])]), ...record]
}

/** Parts what {@link withOwnHeaders} put together. What is missing was never written by it. */
export function partHeaders(headers: readonly Header[]): {
  readonly own: Partial<Record<OwnHeader, Buffer>>
  readonly record: readonly Header[]
} {
  const own: Partial<Record<OwnHeader, Buffer>> = {}
  const record: Header[] = []
  for (const header of headers) {
    const name = byName.get(header[0])
    if (name !== undefined && own[name] === undefined) own[name] = header[1]
    else record.push(header)
  }
  return { own, record }
}
