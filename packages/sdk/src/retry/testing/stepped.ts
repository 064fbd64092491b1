/** What the members in processes of their own, and the tests that watch them, agree on. */
import { defineEvent, defineTopic } from '@evtkit/sdk'
import { z } from 'zod'

export const tiers = [200, 400]

const schema = z.object({ key: z.string(), failures: z.number() })

export const steppedOf = (group: string) =>
  defineEvent({
    type: 'Stepped',
    topic: defineTopic({ name: `${group}-stepped`, partitions: 1 }),
    schema,
    key: ({ key }) => key,
  })

/** What a member did, since it has no database to say so. */
export const handledOf = (group: string) =>
  defineEvent({
    type: 'Handled',
    topic: defineTopic({ name: `${group}-handled`, partitions: 1 }),
    schema,
    key: ({ key }) => key,
  })
