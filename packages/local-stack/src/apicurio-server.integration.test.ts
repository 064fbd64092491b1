import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApicurioServer, attachApicurio, startApicurio } from './apicurio-server.ts'

let apicurio: ApicurioServer

beforeAll(async () => {
  apicurio = await startApicurio({ progress: () => {} })
})

afterAll(async () => {
  await apicurio?.stop()
})

test('it answers at once, with the level of compatibility that Confluent has by default', async () => {
  expect(await get('/config')).toEqual({ compatibilityLevel: 'BACKWARD' })
})

test('an id that was given out is there after the server was killed and started again', async () => {
  const schema = JSON.stringify({ type: 'record', name: 'Kept', fields: [] })
  const response = await fetch(`${apicurio.url}/subjects/kept/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ schema }),
  })
  // What the API answers to a registration.
  const { id } = (await response.json()) as { id: number }
  const killed = apicurio.pid
  await apicurio.kill('SIGKILL')
  expect(await apicurio.isAlive()).toBe(false)
  await apicurio.restart()
  expect(apicurio.pid).not.toBe(killed)
  expect(await get(`/schemas/ids/${id}`)).toMatchObject({ schema: expect.stringContaining('Kept') })
})

test('another process can find the server by its data folder', async () => {
  const found = await attachApicurio(apicurio.dataDir)
  expect(found).toMatchObject({ pid: apicurio.pid, url: apicurio.url, logFile: apicurio.logFile })
  expect(await attachApicurio('/nowhere')).toBeUndefined()
})

async function get(path: string): Promise<unknown> {
  return (await fetch(`${apicurio.url}${path}`)).json()
}
