/** An event for tests with services in processes of their own. */
import { defineEvent, defineTopic } from '@evtkit/sdk'
import { z } from 'zod'

export function countedEvent(topicName: string) {
  return defineEvent({
    type: 'Counted',
    topic: defineTopic({ name: topicName, partitions: 4 }),
    schema: z.object({ key: z.string(), n: z.number().int() }),
    key: ({ key }) => key,
  })
}
