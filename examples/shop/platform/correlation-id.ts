/**
 * Reads a correlation id that came from outside; `undefined` when there is none or it is not a sane one. It ends up in
 * every event and log line of the order, so it must be short and plain.
 */
export function readCorrelationId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(header) ? header : undefined
}
