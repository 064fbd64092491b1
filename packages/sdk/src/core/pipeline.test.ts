import { expect, test } from 'vitest'
import { DeliveryContext } from './context.ts'
import { compose, type Middleware } from './pipeline.ts'

const context = new DeliveryContext({
  message: { topic: 't', key: null, value: null, headers: [] },
  partition: 0,
  offset: 0n,
  group: 'g',
  attempt: 1,
  replay: null,
})

test('the first of the list is outermost', async () => {
  const steps: string[] = []
  const around =
    (name: string): Middleware =>
    async (_context, next) => {
      steps.push(`${name} before`)
      await next()
      steps.push(`${name} after`)
    }
  await compose([around('outer'), around('inner')], () => void steps.push('handler'))(context)
  expect(steps).toEqual(['outer before', 'inner before', 'handler', 'inner after', 'outer after'])
})

test('nothing makes a promise when nothing needs one', () => {
  expect(compose([(_context, next) => next()], () => {})(context)).toBeUndefined()
})

test('a middleware can keep the handler from running, and its error passes outwards', () => {
  let handled = false
  const run = compose(
    [
      () => {
        throw new Error('not today')
      },
    ],
    () => {
      handled = true
    },
  )
  expect(() => run(context)).toThrow('not today')
  expect(handled).toBe(false)
})
