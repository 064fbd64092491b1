/** How a dead letter, and what was decided about it, stand in the topic. */
import { createHash } from 'node:crypto'
import type { RawMessage } from '../core/message.ts'
import type { Sender } from '../core/transport.ts'
import { deadLetterTopicName } from './retry-topic-names.ts'
import type { TravellingEvent } from './returned-event.ts'
import { writeEvent } from './write-event.ts'

/** Why an event is a dead letter: no attempt was left, or no attempt could help. */
export type DeadLetterKind = 'given-up' | 'rejected'

export const isDeadLetterKind = (kind: string): kind is DeadLetterKind => kind === 'given-up' || kind === 'rejected'

/**
 * Identity of a dead letter: where its record first was, and a fingerprint of the record, since in a topic that was made anew
 * another record has the same place. The same event has the same one however often it dies.
 */
export function deadLetterId({ message, partition, offset }: TravellingEvent): string {
  const hash = createHash('sha256')
  for (const part of [message.key, message.value])
    hash.update(`${part === null ? -1 : part.length};`).update(part ?? '')
  return `${message.topic}/${partition}@${offset}#${hash.digest('hex').slice(0, 12)}`
}

/** Writes an event to the dead letters of its group; resolves when it is durable. */
export function writeDeadLetter(
  sender: Sender,
  group: string,
  event: TravellingEvent,
  kind: DeadLetterKind,
): Promise<void> {
  const topic = deadLetterTopicName(group)
  // All that is ever said about a dead letter has its key, so that it stands in one partition, in one order.
  return writeEvent(sender, event, { topic, kind, key: Buffer.from(deadLetterId(event)), due: undefined })
}

/** Something that was decided about a dead letter. */
export interface Mark {
  readonly kind: 'claimed' | 'redriven' | 'discarded'
  readonly letter: string
  /** Which of its records is meant: where that stands in the topic. */
  readonly offset: string
  readonly run: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Something that a person did to the dead letters of a group. */
export interface DeadLetterOperation {
  readonly kind: 'planned' | 'redrive' | 'discard'
  /** Which run it was; a plan has one too. */
  readonly run: string
  /** The plan that was carried out; its own for a plan. */
  readonly plan: string
  readonly by: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** How many dead letters were meant. */
  readonly letters: number
  /** What they were chosen by, for a person. */
  readonly filter: string
}

/** Notes have no event in them; what they say is their value. */
export const noteHeader = 'evtkit-note'

/** A mark or an operation as a record. */
export function noteRecord(group: string, note: Mark | DeadLetterOperation): RawMessage {
  return {
    topic: deadLetterTopicName(group),
    key: Buffer.from('letter' in note ? note.letter : `run ${note.run}`),
    value: Buffer.from(JSON.stringify(note)),
    headers: [[noteHeader, Buffer.from(note.kind)]],
  }
}

/** What {@link noteRecord} wrote; `undefined` when the record is something else. */
export function noteIn({ headers, value }: RawMessage): Mark | DeadLetterOperation | undefined {
  // A dead letter begins with other headers of ours, so that one which came with this header is not taken for a note.
  if (headers.length !== 1 || headers[0]?.[0] !== noteHeader || value === null) return undefined
  let note: unknown
  try {
    note = JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
  return isMark(note) || isOperation(note) ? note : undefined
}

function isMark(note: unknown): note is Mark {
  const { kind, letter, offset, run, at } = fieldsOf(note)
  return (
    (kind === 'claimed' || kind === 'redriven' || kind === 'discarded') &&
    typeof letter === 'string' &&
    typeof offset === 'string' &&
    /^\d{1,19}$/.test(offset) &&
    typeof run === 'string' &&
    typeof at === 'number'
  )
}

function isOperation(note: unknown): note is DeadLetterOperation {
  const { kind, run, plan, by, reason, at, letters, filter } = fieldsOf(note)
  return (
    (kind === 'planned' || kind === 'redrive' || kind === 'discard') &&
    [run, plan, by, reason, filter].every((text) => typeof text === 'string') &&
    [at, letters].every((number) => typeof number === 'number')
  )
}

function fieldsOf(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
