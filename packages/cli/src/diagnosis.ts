import { explainError } from './explain-error.ts'

/** What one check found. */
export interface Finding {
  /** `ok`; `warn`: works, and should be looked at; `fail`: does not work; `skip`: not looked at, because nothing names it. */
  readonly state: 'ok' | 'warn' | 'fail' | 'skip'
  /** One line. */
  readonly says: string
  /** What to do, best as a command line. */
  readonly next?: string
}

export interface Check {
  /** One or two words. */
  readonly name: string
  run(signal: AbortSignal): Promise<Finding>
}

/** Runs a check for at most `limitMs`; what it throws, or that it took too long, is its finding. */
export async function runCheck(check: Check, limitMs: number, signal: AbortSignal): Promise<Finding> {
  const ending = new AbortController()
  const stop = () => ending.abort()
  signal.addEventListener('abort', stop, { once: true })
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => {
      ending.abort()
      resolve({
        state: 'fail',
        says: `no answer within ${limitMs / 1000} s`,
        next: 'check the address, the network and the firewall',
      })
    }, limitMs)
  })
  try {
    return await Promise.race([check.run(ending.signal).catch(failure), tooLong])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function failure(error: unknown): Finding {
  const { what, why, next } = explainError(error)
  // The reasons below often are the only words that say it, such as "connect ECONNREFUSED".
  const says = [what, ...why].join(': ')
  return { state: 'fail', says, ...(next !== undefined && { next }) }
}

/** How far two clocks may be apart without anybody noticing. Milliseconds. */
const toleratedSkewMs = 2000

/** What is to be said of a clock that is not ours. @param uncertainMs what the measuring itself may be wrong by */
export function skewFinding(skewMs: number, uncertainMs: number, whose: string): Finding {
  const apart = Math.max(0, Math.abs(skewMs) - uncertainMs)
  if (apart <= toleratedSkewMs)
    return { state: 'ok', says: `as the clock of ${whose}, within ${(Math.max(uncertainMs, 1) / 1000).toFixed(1)} s` }
  const seconds = (apart / 1000).toFixed(1)
  return {
    state: apart > 60_000 ? 'fail' : 'warn',
    says: `this computer is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ${whose}`,
    next: 'synchronise the clocks (NTP): timestamps, retention and deadlines go by them',
  }
}
