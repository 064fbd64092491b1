/** The middle value; of an even number of values the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  return upper === undefined || lower === undefined ? Number.NaN : (upper + lower) / 2
}

/** The value that `share` (0 to 1) of the values do not exceed. NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** How many times the baseline's rate was reached, round by round: both lists hold one rate per round. */
export function ratios(rates: readonly number[], baselineRates: readonly number[]): number[] {
  return rates.map((rate, round) => rate / (baselineRates[round] ?? Number.NaN))
}
