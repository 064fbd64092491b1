import { gateway } from '../gateway/service.ts'
import { inventory } from '../inventory/service.ts'
import { mailSink } from '../mail-sink/service.ts'
import { notifications } from '../notifications/service.ts'
import { orders } from '../orders/service.ts'
import { paymentProvider } from '../payment-provider/service.ts'
import { payments } from '../payments/service.ts'
import type { Part, PartName, Service } from '../platform/service.ts'
import { shipping } from '../shipping/service.ts'

/** Every part of the shop by its name; the outside world first, since the others call it. */
export const parts: Readonly<Record<PartName, Part | Service>> = {
  'payment-provider': paymentProvider,
  'mail-sink': mailSink,
  orders,
  inventory,
  payments,
  shipping,
  notifications,
  gateway,
}
