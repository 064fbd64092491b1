import { systemClock } from '@evtkit/sdk'
import { describeOrderFlow } from './order-flow-cases.ts'
import { createEmbeddedGround } from './platform/embedded-ground.ts'

describeOrderFlow('the order flow in one process, as Avro', async (logger) => {
  const ground = await createEmbeddedGround(logger, systemClock, 'avro')
  return { ...ground, format: 'avro', transport: ground.broker }
})
