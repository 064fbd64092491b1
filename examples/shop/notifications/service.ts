import { NotificationSent, OrderCancelled, ShippingCreated } from '../contracts/index.ts'
import { createEdges } from '../platform/edges.ts'
import type { Service } from '../platform/service.ts'
import { cancelledMail, shippedMail } from './mail.ts'
import { createSinkMailer, createSmtpMailer } from './mailer.ts'
import { migrations } from './migrations.ts'
import { notify } from './notify.ts'

/** Writes to customers. */
export const notifications: Service = {
  kind: 'service',
  name: 'notifications',
  migrations,
  publishes: [NotificationSent],
  create(platform) {
    const edges = createEdges(platform, { group: 'notifications', source: 'notification-service' })
    const { smtpUrl } = platform.settings
    const mailer = smtpUrl === undefined ? createSinkMailer(platform.fetchFrom('mail-sink')) : createSmtpMailer(smtpUrl)
    const options = { ...edges, mailer }

    edges.consumer.on(ShippingCreated, notify(options, shippedMail)).on(OrderCancelled, notify(options, cancelledMail))

    return {
      handles: edges.handles,
      start: () => edges.start(),
      async close(deadlineMs) {
        await edges.close(deadlineMs)
        mailer.close()
      },
      health: () => edges.health(),
    }
  },
}
