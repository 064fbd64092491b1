import { describeOrderFlow } from './order-flow-cases.ts'
import { createEmbeddedGround } from './platform/embedded-ground.ts'

describeOrderFlow('the order flow in one process', async (logger) => {
  const ground = await createEmbeddedGround(logger)
  return { ...ground, format: 'json', transport: ground.broker }
})
