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
  /** Name of an earlier check without which this one makes no sense: when that fails, this would fail for the same cause. */
  readonly needs?: string
  run(signal: AbortSignal): Promise<Finding>
}

/** Runs checks side by side, but for those that need another one. */
export function runChecks(checks: readonly Check[], limitMs: number, signal: AbortSignal): readonly Promise<Finding>[] {
  const running = new Map<string, Promise<Finding>>()
  for (const check of checks) {
    const needed = check.needs === undefined ? undefined : running.get(check.needs)
    const finding = needed === undefined ? runCheck(check, limitMs, signal) : after(needed, check, limitMs, signal)
    running.set(check.name, finding)
  }
  return [...running.values()]
}

async function after(needed: Promise<Finding>, check: Check, limitMs: number, signal: AbortSignal): Promise<Finding> {
  if ((await needed).state === 'fail') return { state: 'skip', says: `not looked at, since ${check.needs} failed` }
  return runCheck(check, limitMs, signal)
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
  const { what, why, next: advice } = explainError(error)
  // The reasons below often are the only words that say it, such as "connect ECONNREFUSED".
  const says = [what, ...why].join(': ')
  const next = advice === undefined ? undefined : besidesDoctor(advice)
  return { state: 'fail', says, ...(next !== undefined && { next }) }
}

/** An advice without sending to where one is already; nothing when there is no more to it. */
function besidesDoctor(advice: string): string | undefined {
  const parts = advice
    .replace(' and evt doctor', '')
    .split('; ')
    .filter((part) => !part.includes('evt doctor'))
  return parts.length === 0 ? undefined : parts.join('; ').replace(/: evt doctor$/, '')
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
