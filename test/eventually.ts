import { vi } from 'vitest'

/** Waits until a check passes; long enough for a busy machine, and over at once when it does. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 })
}
