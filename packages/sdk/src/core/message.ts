/** One header: a name and its bytes. Names may repeat; order is kept. */
export type Header = readonly [name: string, value: Buffer]

/** Bytes to move: what a {@link Sender} takes and a {@link Delivery} carries. */
export interface RawMessage {
  readonly topic: string
  /** Decides the partition and so the order; `null` for none. */
  readonly key: Buffer | null
  /** `null` is a tombstone. */
  readonly value: Buffer | null
  readonly headers: readonly Header[]
  /** Milliseconds since the epoch. Set by the log when absent. */
  readonly timestamp?: number
}

/** Why a delivery is not live: an old fact, delivered again on purpose. */
export interface Replay {
  readonly id: string
  /** Whether effects on the outside must stay quiet. */
  readonly muted: boolean
}

/** One attempt to hand a message over to one consumer group. */
export interface Delivery {
  readonly message: RawMessage
  readonly partition: number
  readonly offset: bigint
  readonly group: string
  /** 1 for the first attempt since this member owns the partition. What was taken over after it failed goes on counting. */
  readonly attempt: number
  readonly replay: Replay | null
}
