/** Records as they were written once, byte for byte. What is here is never written again, or it would prove nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** An event as it was on the topic on the day it was written, in each format. */
export const OldRecord = z.strictObject({
  event: z.string(),
  version: z.string(),
  /** The data that was published, as JSON writes it. */
  data: z.record(z.string(), z.unknown()),
  /** Value of the record, base64. */
  json: z.base64(),
  avro: z.strictObject({
    /** Value of the record behind the id 1 of its schema, base64. */
    value: z.base64(),
    /** The schema it was written with: the envelope around the data. */
    writer: z.unknown(),
  }),
})
export type OldRecord = z.infer<typeof OldRecord>

export const oldRecordsFolder = import.meta.dirname

/** The id that every kept Avro record names; there is no registry any more that knows it. */
export const writerId = 1

export function readOldRecords(): OldRecord[] {
  return readdirSync(oldRecordsFolder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => OldRecord.parse(JSON.parse(readFileSync(join(oldRecordsFolder, file), 'utf8'))))
}

/** Name of a record's file: `OrderCreated.v1.json`. A later record of the same version has something behind: `OrderCreated.v1.2027-05.json`. */
export function oldRecordFile({ event, version }: Pick<OldRecord, 'event' | 'version'>): string {
  return join(oldRecordsFolder, `${event}.${version}.json`)
}
