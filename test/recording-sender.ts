import { type EvtError, type RawMessage, type Sender, SendFailedError, type SendFailure } from '@evtkit/sdk'

/** A sender that remembers what it was given, and fails or waits as a test tells it to. */
export class RecordingSender implements Sender {
  /** Every call's messages, acknowledged or not. */
  readonly batches: (readonly RawMessage[])[] = []
  /** What was appended, in order. */
  readonly appended: RawMessage[] = []
  /** Why a message is not taken; `undefined` takes it. */
  refuse: (message: RawMessage) => EvtError | undefined = () => undefined
  /** Whether messages behind a refused one of their key are refused with it, as by a broker that fails a whole partition. */
  stopsKey = false
  /** Awaited before anything is appended. */
  before: (messages: readonly RawMessage[]) => Promise<void> | void = () => {}
  /** Awaited after everything was appended, before the call is answered. */
  after: (messages: readonly RawMessage[]) => Promise<void> | void = () => {}

  async send(messages: readonly RawMessage[]): Promise<void> {
    this.batches.push(messages)
    await this.before(messages)
    const failures = new Map<number, SendFailure>()
    const stopped = new Map<string, EvtError>()
    for (const [i, message] of messages.entries()) {
      const key = `${message.topic} ${message.key?.toString('latin1')}`
      const error = (this.stopsKey && message.key !== null ? stopped.get(key) : undefined) ?? this.refuse(message)
      if (error === undefined) this.appended.push(message)
      else {
        failures.set(i, { message, error })
        stopped.set(key, error)
      }
    }
    await this.after(messages)
    if (failures.size > 0) throw new SendFailedError(failures, messages.length)
  }

  /** Values of what was appended, of one key or of all, as text. */
  values(key?: string): string[] {
    return this.appended
      .filter((message) => key === undefined || message.key?.toString() === key)
      .map((message) => String(message.value))
  }
}

/** A message as the tests of senders use them. */
export function textMessage(key: string | null, value: string, topic = 'orders'): RawMessage {
  return { topic, key: key === null ? null : Buffer.from(key), value: Buffer.from(value), headers: [] }
}

/** A promise that a test settles when it wants to. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
