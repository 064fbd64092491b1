import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type ComposeService, findComposeService, findDockerCompose, startComposeService } from './docker-compose.ts'

const KAFKA: ComposeService = { name: 'kafka', containerPort: 29092, portVariable: 'TEST_PORT' }

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-docker-'))
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test('Docker without an engine is no Docker', async () => {
  await fakeDocker('exit 1')
  expect(await findDockerCompose('compose.yaml')).toBeUndefined()
})

test('Docker without Compose is no Docker', async () => {
  await fakeDocker('[ "$1" != compose ]')
  expect(await findDockerCompose('compose.yaml')).toBeUndefined()
})

test('a service is started on the named port, waited for and taken down under its own project name', async () => {
  await fakeDocker('exit 0')
  const compose = { file: '/some/compose.yaml' }
  const instance = await startComposeService(compose, 'evtkit-x', KAFKA, 23_456)
  expect(instance.port).toBe(23_456)
  await instance.down({ removeData: false })
  await instance.down({ removeData: true })
  expect(await calls()).toEqual([
    '23456 compose --file /some/compose.yaml --project-name evtkit-x up --detach --wait kafka',
    ' compose --file /some/compose.yaml --project-name evtkit-x down',
    ' compose --file /some/compose.yaml --project-name evtkit-x down --volumes',
  ])
})

test('what Docker says about a failed start is passed on', async () => {
  await fakeDocker('echo "no space left" >&2; exit 1')
  await expect(startComposeService({ file: 'compose.yaml' }, 'evtkit-x', KAFKA)).rejects.toMatchObject({
    code: 'COMPOSE_FAILED',
    message: expect.stringContaining('no space left'),
  })
})

test('a running service is found with its port', async () => {
  await fakeDocker('echo 127.0.0.1:23457')
  expect(await findComposeService({ file: 'compose.yaml' }, 'evtkit-x', KAFKA)).toMatchObject({ port: 23_457 })
})

test('a service that does not run is not found', async () => {
  await fakeDocker('echo "no container found" >&2; exit 1')
  expect(await findComposeService({ file: 'compose.yaml' }, 'evtkit-x', KAFKA)).toBeUndefined()
})

/** Puts a `docker` before the real one that writes down how it was called and then does what the script says. */
async function fakeDocker(script: string): Promise<void> {
  const file = join(folder, 'docker')
  await writeFile(file, `#!/bin/sh\necho "$TEST_PORT $*" >> '${folder}/calls'\n${script}\n`)
  await chmod(file, 0o755)
}

async function calls(): Promise<string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n')
}
