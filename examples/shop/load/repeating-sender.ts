import type { RawMessage, Sender } from '@evtkit/sdk'

/** A sender that sends every `every`-th message twice, as one does whose acknowledgement was lost on the way. */
export function repeatingSender(sender: Sender, every: number): Sender {
  let count = 0
  return {
    send(messages) {
      const repeated: RawMessage[] = []
      for (const message of messages) {
        repeated.push(message)
        count++
        if (count % every === 0) repeated.push(message)
      }
      return sender.send(repeated)
    },
  }
}
