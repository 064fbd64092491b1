import { readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Settings } from './settings.ts'

/** What the registry's clock shows, by the header of any answer, to the second. Milliseconds since 1970; `undefined` when it does not say. */
export function registryDate({ registryUrl, registryCa }: Settings, signal: AbortSignal): Promise<number | undefined> {
  const url = new URL(registryUrl ?? '')
  // Even a refusal has a date, so nothing needs to be proven.
  url.username = ''
  url.password = ''
  const secure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const sent = (secure ? requestHttps : requestHttp)(
      url,
      { method: 'HEAD', signal, agent: false, ...(registryCa !== undefined && { ca: readFileSync(registryCa) }) },
      (answer) => {
        answer.resume()
        const at = Date.parse(answer.headers.date ?? '')
        resolve(Number.isNaN(at) ? undefined : at)
      },
    )
    sent.once('error', reject)
    sent.end()
  })
}
