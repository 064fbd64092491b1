import { type EvtError, isEvtError } from './errors.ts'
import type { Subscription } from './transport.ts'

/** How long giving up a subscription that has just begun may take. Milliseconds. */
const giveUpMs = 2000

/**
 * A subscription that is under way, unless a check beside it finds that the consumer could never work: then it is given up. What
 * else the check fails with may pass. Once `starting` is aborted nobody waits for the check.
 *
 * @throws InvalidConfigurationError when the check does.
 */
export async function unlessMisused(
  subscribing: Promise<Subscription>,
  check: Promise<void>,
  starting: AbortController,
): Promise<Subscription> {
  // Whoever waits for the start has its error; until then it is nobody's.
  subscribing.catch(() => {})
  const misuse = await new Promise<EvtError | undefined>((resolve) => {
    if (starting.signal.aborted) resolve(undefined)
    starting.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    check.then(
      () => resolve(undefined),
      (error) => resolve(isEvtError(error) && error.code === 'EVT_INVALID_CONFIGURATION' ? error : undefined),
    )
  })
  if (misuse === undefined) return subscribing
  starting.abort(misuse)
  await subscribing.then(
    (subscription) => subscription.close(giveUpMs),
    () => {},
  )
  throw misuse
}
