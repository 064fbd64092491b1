import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { APICURIO_VERSION, fetchApicurio } from './apicurio-app.ts'

let folder: string
let cacheDir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evtkit-apicurio-app-'))
  cacheDir = join(folder, 'cache')
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const fetchApp = () => fetchApicurio({ cacheDir, progress: () => {} })

test('the program is fetched and unpacked once, and only the unpacked files stay', async () => {
  await fakeMaven(
    `mkdir -p "$into" && cd '${folder}' && mkdir -p lib && echo x > quarkus-run.jar && echo y > lib/one.jar && tar -czf "$into/app.tar.gz" quarkus-run.jar lib`,
  )
  const apps = await Promise.all([fetchApp(), fetchApp()])
  expect(new Set(apps)).toEqual(new Set([join(cacheDir, `apicurio-${APICURIO_VERSION}`, 'app')]))
  expect((await readdir(apps[0] ?? '')).sort()).toEqual(['lib', 'quarkus-run.jar'])
  expect((await readdir(join(cacheDir, `apicurio-${APICURIO_VERSION}`))).sort()).toEqual(['app', 'complete.json'])
})

test('what is no archive leaves nothing behind and says so', async () => {
  await fakeMaven('mkdir -p "$into"; echo "not found" > "$into/app.tar.gz"')
  await expect(fetchApp()).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringContaining('could not be unpacked'),
  })
  expect(await readdir(cacheDir)).toEqual([])
})

test('without Maven the message says what to install and what helps instead', async () => {
  vi.stubEnv('PATH', folder)
  await expect(fetchApp()).rejects.toMatchObject({
    code: 'MAVEN_MISSING',
    message: expect.stringMatching(/apt-get install maven.*SCHEMA_REGISTRY_URL/s),
  })
})

/** Puts a `mvn` first on the search path that finds the folder to fill in `$into`. */
async function fakeMaven(script: string): Promise<void> {
  const file = join(folder, 'mvn')
  const into =
    'for argument; do case "$argument" in -DoutputDirectory=*) into=$(echo "$argument" | cut -d= -f2);; esac; done'
  await writeFile(file, `#!/bin/sh\n${into}\n${script}\n`)
  await chmod(file, 0o755)
}
