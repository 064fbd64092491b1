/** What was on the way. */
export interface LiveWork {
  /** Records that groups had not committed. */
  readonly records: number
  /** Events in outboxes. */
  readonly unsent: number
  /** Requests of clients without an answer. */
  readonly requests: number
}

export function isBusy({ records, unsent, requests }: LiveWork): boolean {
  return records + unsent + requests > 0
}

/** Of each the larger one. */
export function larger(a: LiveWork, b: LiveWork): LiveWork {
  return {
    records: Math.max(a.records, b.records),
    unsent: Math.max(a.unsent, b.unsent),
    requests: Math.max(a.requests, b.requests),
  }
}
