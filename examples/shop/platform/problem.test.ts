import { silentLogger } from '@evtkit/sdk'
import { expect, test } from 'vitest'
import { createHttpServer } from './http-server.ts'
import { ProblemError } from './problem.ts'

const answerOf = async (error: Error) => {
  const http = createHttpServer(silentLogger)
  http.get('/', () => Promise.reject(error))
  const answer = await http.inject('/')
  await http.close()
  return answer
}

test('an error of ours that nobody foresaw shows nothing of the inside', async () => {
  const answer = await answerOf(new Error('select * from orders failed at 10.0.0.7:5432'))
  expect(answer.statusCode).toBe(500)
  expect(answer.headers['content-type']).toContain('application/problem+json')
  expect(answer.body).not.toMatch(/select|10\.0\.0\.7|problem\.test/)
})

test('a problem is told with the path of each wrong field', async () => {
  const answer = await answerOf(
    new ProblemError({
      status: 400,
      code: 'invalid',
      title: 'No',
      detail: 'Not so.',
      errors: [{ path: 'a.0', message: 'x' }],
    }),
  )
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toEqual({
    type: 'urn:shop:problem:invalid',
    title: 'No',
    status: 400,
    detail: 'Not so.',
    errors: [{ path: 'a.0', message: 'x' }],
  })
})

test('whoever should come back later is told so', async () => {
  const answer = await answerOf(new ProblemError({ status: 503, code: 'later', title: 'Later', detail: 'Soon.' }))
  expect(answer.headers['retry-after']).toBe('1')
})
