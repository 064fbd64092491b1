import type { RejectHandler, Rejection } from '../core/rejection.ts'

/** Rejected records in the order they came. */
export interface Rejections {
  readonly list: readonly Rejection[]
  /** Give this to a consumer as `rejected`. */
  readonly handler: RejectHandler
}

/**
 * Collects what a consumer rejects.
 *
 * @example
 * const rejections = collectRejections()
 * const consumer = createConsumer({ source: broker, group: 'shipping', rejected: rejections.handler })
 */
export function collectRejections(): Rejections {
  const list: Rejection[] = []
  return {
    list,
    handler: (rejection) => {
      list.push(rejection)
    },
  }
}
