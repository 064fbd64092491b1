import { BrokerUnavailableError, type EvtError, SendFailedError, SendTimeoutError } from '../core/errors.ts'
import type { RawMessage } from '../core/message.ts'
import type { Transport } from '../core/transport.ts'

type Fault =
  | { readonly kind: 'fail'; readonly error: EvtError }
  | { readonly kind: 'drop' }
  | { readonly kind: 'lose response' }
  | { readonly kind: 'delay'; readonly until: Promise<void> }

/** A transport whose next sends go wrong on request. Each request is used up by one send. */
export interface FaultyTransport extends Transport {
  /** The next send writes nothing and says so. @default a BrokerUnavailableError */
  failNextSend(error?: EvtError): void
  /** The next send writes nothing and claims that it did: what a broker without durability does. */
  dropNextSend(): void
  /** The next send writes everything and is told that no answer came. */
  loseNextResponse(): void
  /** The next send waits for `until` before it writes. */
  delayNextSend(until: Promise<void>): void
}

/** Puts faults in front of a transport; everything else passes through. */
export function withFaults(transport: Transport): FaultyTransport {
  const faults: Fault[] = []
  const failed = (messages: readonly RawMessage[], error: EvtError) =>
    new SendFailedError(new Map(messages.map((message, i) => [i, { message, error }])), messages.length)

  const send = async (messages: readonly RawMessage[]): Promise<void> => {
    const fault = faults.shift()
    if (fault?.kind === 'drop') return
    if (fault?.kind === 'fail') throw failed(messages, fault.error)
    if (fault?.kind === 'delay') await fault.until
    await transport.send(messages)
    if (fault?.kind === 'lose response')
      throw failed(messages, new SendTimeoutError('the records were written, and the answer was lost on purpose'))
  }

  return {
    send,
    failNextSend: (error = new BrokerUnavailableError('the broker is unavailable on purpose')) =>
      void faults.push({ kind: 'fail', error }),
    dropNextSend: () => void faults.push({ kind: 'drop' }),
    loseNextResponse: () => void faults.push({ kind: 'lose response' }),
    delayNextSend: (until) => void faults.push({ kind: 'delay', until }),
    subscribe: (options) => transport.subscribe(options),
    createTopics: (topics) => transport.createTopics(topics),
    deleteTopics: (names) => transport.deleteTopics(names),
    listTopics: () => transport.listTopics(),
    describeTopics: (names) => transport.describeTopics(names),
    growTopic: (name, partitions) => transport.growTopic(name, partitions),
    configureTopic: (name, changes) => transport.configureTopic(name, changes),
    offsets: (topic) => transport.offsets(topic),
    deleteRecords: (topic, partition, before) => transport.deleteRecords(topic, partition, before),
    listGroups: () => transport.listGroups(),
    members: (group) => transport.members(group),
    committed: (group, topic) => transport.committed(group, topic),
    setOffsets: (group, topic, offsets) => transport.setOffsets(group, topic, offsets),
    close: (deadlineMs) => transport.close(deadlineMs),
  }
}
