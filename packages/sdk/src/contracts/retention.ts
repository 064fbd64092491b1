const unitMs: Readonly<Record<string, number>> = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  year: 365 * 86_400_000,
}

/**
 * Reads how long records are kept: `30 days`, `12 hours`, `1 year` (365 days), `forever`.
 *
 * @returns milliseconds, -1 for ever, `undefined` when it is none of these.
 */
export function parseRetention(text: string): number | undefined {
  if (text === 'forever') return -1
  const [, count, unit] = /^([1-9][0-9]{0,5}) (hour|day|week|year)s?$/.exec(text) ?? []
  const ms = unit === undefined ? undefined : unitMs[unit]
  return ms === undefined ? undefined : Number(count) * ms
}

/** The opposite of {@link parseRetention}, in the largest unit that fits: `30 days`. Milliseconds stay milliseconds. */
export function retentionText(retentionMs: number): string {
  if (retentionMs < 0) return 'forever'
  for (const unit of ['year', 'day', 'hour']) {
    const count = retentionMs / (unitMs[unit] ?? Number.NaN)
    if (Number.isInteger(count) && count > 0) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${retentionMs} ms`
}
