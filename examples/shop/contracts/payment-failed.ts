import { upcast } from '@evtkit/sdk'
import { type FailureReason, PaymentFailedV1, PaymentFailed as PaymentFailedV2 } from './generated/index.ts'

/**
 * A payment that failed. Records of version 1, which only passed on the code of the provider, are read as version 2: they are
 * in Kafka for seven years.
 */
export const PaymentFailed = upcast(PaymentFailedV2, PaymentFailedV1, ({ reason, ...same }) => ({
  ...same,
  reason: failureReasonOf(reason),
  providerCode: reason,
}))

const reasons: ReadonlyMap<string, FailureReason> = new Map([
  ['card_declined', 'CARD_DECLINED'],
  ['insufficient_funds', 'INSUFFICIENT_FUNDS'],
  ['card_expired', 'CARD_EXPIRED'],
  ['fraud_suspected', 'FRAUD_SUSPECTED'],
])

/** What a code of the payment provider means to the shop. */
export function failureReasonOf(providerCode: string): FailureReason {
  return reasons.get(providerCode) ?? 'OTHER'
}
