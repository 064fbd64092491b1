import { type EvtError, isEvtError, RecordTooLargeError, SendFailedError, UnknownTopicError } from '../core/errors.ts'
import type { Sender } from '../core/transport.ts'
import type { AttemptDetail } from './attempt-list.ts'
import { recordOf, type TravellingEvent } from './returned-event.ts'

export interface WriteTo {
  readonly topic: string
  readonly kind: string
  readonly key: Buffer | null
  /** Milliseconds since the epoch. */
  readonly due: number | undefined
}

/**
 * Writes an event to a topic of its group; resolves when it is durable. A record that is too large with the attempts so far is
 * tried once more with as little of them as tells why it failed.
 *
 * @throws RecordTooLargeError UnknownTopicError with what to do, and whatever else the sender says
 */
export async function writeEvent(sender: Sender, event: TravellingEvent, to: WriteTo): Promise<void> {
  const failed = await send(sender, event, to, 'all')
  if (failed === undefined) return
  const again = isCode(failed, 'EVT_RECORD_TOO_LARGE') ? await send(sender, event, to, 'least') : failed
  if (again !== undefined) throw explained(again, event, to.topic)
}

async function send(sender: Sender, event: TravellingEvent, to: WriteTo, detail: AttemptDetail): Promise<unknown> {
  try {
    await sender.send([recordOf(event, { ...to, detail })])
    return undefined
  } catch (error) {
    // There is one message, so its own error says more than that one of one failed.
    return error instanceof SendFailedError ? (error.failures.get(0)?.error ?? error) : error
  }
}

function explained(error: unknown, { message, partition, offset }: TravellingEvent, topic: string): unknown {
  const place = `${message.topic}/${partition}@${offset}`
  if (isCode(error, 'EVT_RECORD_TOO_LARGE'))
    return new RecordTooLargeError(
      `the failed event of ${place} is too large for "${topic}", which takes the record and some hundred bytes of headers more: raise max.message.bytes of "${topic}" above that of "${message.topic}", and the largest record that the client sends. Until then its offset does not move.`,
      { cause: error },
    )
  if (isCode(error, 'EVT_UNKNOWN_TOPIC'))
    return new UnknownTopicError(topic, {
      message: `the failed event of ${place} belongs into "${topic}", and there is no such topic; create it as retryTopicDefinitions(group, tiers) describes it. Until then its offset does not move.`,
      cause: error,
    })
  return error
}

function isCode(error: unknown, code: EvtError['code']): boolean {
  return isEvtError(error) && error.code === code
}
