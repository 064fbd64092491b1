import type { Outage } from './circuit.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { SourceStatus } from './transport.ts'

/** How a consumer is doing, for readiness. `ready` is false whenever somebody should look. */
export interface ConsumerHealth {
  readonly ready: boolean
  readonly state: 'new' | SourceStatus['state'] | 'outage' | 'blocked' | 'closed'
  /** One line for a person; empty when all is well. */
  readonly detail: string
}

/**
 * What a consumer that has started tells about itself.
 *
 * @param isTakenOver whether somebody takes over what fails: then an event that is tried again in place is no reason to look,
 * and one that cannot be taken over is.
 */
export function healthOf(
  status: SourceStatus,
  outage: Outage | undefined,
  partitions: ReadonlyMap<string, PartitionProgress>,
  isTakenOver: boolean,
): ConsumerHealth {
  if (status.state !== 'running') return { ready: false, state: status.state, detail: describeStatus(status) }
  if (outage !== undefined)
    return {
      ready: false,
      state: 'outage',
      detail: `the ${outage.part} is down since ${new Date(outage.since).toISOString()}: ${outage.error.message}`,
    }
  for (const [partition, progress] of partitions) {
    const blocked = progress.blockedBy(isTakenOver)
    if (blocked !== undefined)
      return {
        ready: false,
        state: 'blocked',
        detail: `${partition} waits at offset ${blocked.offset}, failed ${blocked.attempts} time(s): ${blocked.error.message}`,
      }
  }
  return { ready: true, state: 'running', detail: '' }
}

export function describeStatus(status: SourceStatus): string {
  if (status.state === 'connecting')
    return `connecting, attempt ${status.attempt}${status.error === undefined ? '' : `: ${status.error.message}`}`
  return 'error' in status && status.error !== undefined ? status.error.message : status.state
}
