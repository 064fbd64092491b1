import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ChildServer, type ServerCommand } from './child-server.ts'
import { isAlive, type ProcessIdentity } from './process-identity.ts'
import { attachServer, writeServerState } from './server-state.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-child-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A server that says a line and then lives until a signal ends it. */
function program(script: string, overrides: Partial<ServerCommand> = {}): ServerCommand {
  return {
    name: 'Test server',
    command: process.execPath,
    args: ['-e', script],
    logFile: join(folder, 'server.log'),
    readyPattern: 'ready',
    startTimeoutMs: 20_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 500,
    ...overrides,
  }
}

const SERVES = 'console.log("ready"); setInterval(() => {}, 1000)'
const STUBBORN = `process.on("SIGTERM", () => {}); ${SERVES}`

test('a server is started when its log says so, and stopped in good order', async () => {
  const server = await ChildServer.start(program(SERVES), { detached: false })
  expect(await server.isAlive()).toBe(true)
  await server.stop()
  expect(await server.isAlive()).toBe(false)
  await server.stop()
})

test('a server that ignores the request to stop is ended by force', async () => {
  const server = await ChildServer.start(program(STUBBORN), { detached: false })
  await server.stop()
  expect(await server.isAlive()).toBe(false)
})

test('a frozen server can be stopped', async () => {
  const server = await ChildServer.start(program(SERVES), { detached: false })
  await server.kill('SIGSTOP')
  await server.stop()
  expect(await server.isAlive()).toBe(false)
})

test('a restart waits for the new line, not for the one of the start before', async () => {
  const server = await ChildServer.start(program(SERVES), { detached: false })
  const first = server.pid
  await server.kill('SIGKILL')
  await server.restart()
  expect(server.pid).not.toBe(first)
  expect(await readFile(server.command.logFile, 'utf8')).toBe('ready\nready\n')
  await server.stop()
})

test('a server that ends instead of serving fails with the end of its log', async () => {
  const start = ChildServer.start(program('console.error("no such setting"); process.exit(1)'), { detached: false })
  await expect(start).rejects.toMatchObject({
    code: 'SERVER_FAILED',
    message: expect.stringMatching(/ended before it was ready.*no such setting/s),
  })
})

test('a server that stays silent is ended', async () => {
  const silent = program('console.log(process.pid); setInterval(() => {}, 1000)', { startTimeoutMs: 400 })
  await expect(ChildServer.start(silent, { detached: false })).rejects.toMatchObject({ code: 'SERVER_FAILED' })
})

test('a program that is not there fails by name', async () => {
  const missing = program('', { command: '/nowhere/at-all' })
  await expect(ChildServer.start(missing, { detached: false })).rejects.toMatchObject({
    code: 'SERVER_FAILED',
    message: expect.stringContaining('/nowhere/at-all'),
  })
})

test('a server dies with the process that started it, however that ends, and its folder goes', async () => {
  const { parent, server } = await startFromAnotherProcess({ detached: false })
  parent.kill('SIGKILL')
  await vi.waitFor(async () => expect(await isAlive(server)).toBe(false), { timeout: 10_000 })
  await expect.poll(() => readdir(folder), { timeout: 10_000 }).not.toContain('throwaway')
})

test('a detached server outlives the process that started it and is found by its state file', async () => {
  const { parent, server } = await startFromAnotherProcess({ detached: true })
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  const found = await attachServer<{ port: number }>(join(folder, 'state.json'))
  expect(found?.server.pid).toBe(server.pid)
  expect(found?.details).toEqual({ port: 7 })
  await found?.server.stop()
  expect(await isAlive(server)).toBe(false)
  expect(await attachServer(join(folder, 'state.json'))).toBeUndefined()
})

test('a process that only has the same id as the server of a state file is left alone', async () => {
  const server = await ChildServer.start(program(SERVES), { detached: true })
  await writeServerState(join(folder, 'state.json'), server, {})
  const state = await readFile(join(folder, 'state.json'), 'utf8')
  await writeFile(join(folder, 'state.json'), state.replace(`"${server.identity.started}"`, '"1"'))
  expect(await attachServer(join(folder, 'state.json'))).toBeUndefined()
  expect(await server.isAlive()).toBe(true)
  await server.stop()
})

/** Runs a process that starts the server and then waits to be killed. */
async function startFromAnotherProcess(options: {
  detached: boolean
}): Promise<{ parent: ChildProcess; server: ProcessIdentity }> {
  await mkdir(join(folder, 'throwaway'))
  const source = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href)
  const script = `
    import { ChildServer } from ${source('child-server.ts')}
    import { writeServerState } from ${source('server-state.ts')}
    const options = ${JSON.stringify({ ...options, throwawayFolder: join(folder, 'throwaway') })}
    const server = await ChildServer.start(${JSON.stringify(program(SERVES))}, options)
    await writeServerState(${JSON.stringify(join(folder, 'state.json'))}, server, { port: 7 })
    console.log(JSON.stringify(server.identity))
    setInterval(() => {}, 1000)
  `
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(parent.stdout, 'data')
  return { parent, server: JSON.parse(String(line)) }
}
