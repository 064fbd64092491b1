import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchKafkaJars, KAFKA_VERSION } from './kafka-jars.ts'

let folder: string
let cacheDir: string
const said: string[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-jars-'))
  cacheDir = join(folder, 'cache')
  said.length = 0
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const fetchJars = () => fetchKafkaJars({ cacheDir, progress: (message) => said.push(message) })

test('the files are fetched once, however many ask at the same time', async () => {
  await fakeMaven('mkdir -p "$libs"; echo x > "$libs/kafka.jar"; echo x > "$libs/log4j.jar"')
  const folders = await Promise.all([fetchJars(), fetchJars(), fetchJars()])
  expect(new Set(folders)).toEqual(new Set([join(cacheDir, `kafka-${KAFKA_VERSION}`, 'libs')]))
  expect((await readdir(folders[0] ?? '')).sort()).toEqual(['kafka.jar', 'log4j.jar'])
  expect(await mavenCalls()).toBe(1)
  expect(await readdir(cacheDir)).toEqual([`kafka-${KAFKA_VERSION}`])
  expect(said).toHaveLength(2)
})

test('a cache from which a file has gone is fetched again', async () => {
  await fakeMaven('mkdir -p "$libs"; echo x > "$libs/kafka.jar"; echo x > "$libs/log4j.jar"')
  const libs = await fetchJars()
  await rm(join(libs, 'log4j.jar'))
  await fetchJars()
  expect(await readdir(libs)).toContain('log4j.jar')
  expect(await mavenCalls()).toBe(2)
})

test('a failed fetch leaves nothing behind and says what Maven said', async () => {
  await fakeMaven('mkdir -p "$libs"; echo x > "$libs/kafka.jar"; echo "Could not transfer artifact"; exit 1')
  await expect(fetchJars()).rejects.toMatchObject({
    code: 'KAFKA_DOWNLOAD_FAILED',
    message: expect.stringContaining('Could not transfer artifact'),
  })
  expect(await readdir(cacheDir)).toEqual([])
})

test('without Maven the message says what to install', async () => {
  vi.stubEnv('PATH', folder)
  await expect(fetchJars()).rejects.toMatchObject({
    code: 'MAVEN_MISSING',
    message: expect.stringContaining('apt-get install maven'),
  })
})

/** Puts a `mvn` first on the search path that finds the folder to fill in `$libs`. */
async function fakeMaven(script: string): Promise<void> {
  const file = join(folder, 'mvn')
  const libs =
    'for argument; do case "$argument" in -DoutputDirectory=*) libs=$(echo "$argument" | cut -d= -f2);; esac; done'
  await writeFile(file, `#!/bin/sh\necho call >> '${folder}/calls'\n${libs}\n${script}\n`)
  await chmod(file, 0o755)
}

async function mavenCalls(): Promise<number> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trimEnd().split('\n').length
}
