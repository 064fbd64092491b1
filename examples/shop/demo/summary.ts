import type { Colors } from 'picocolors/types.js'
import type { Latency } from '../load/latency.ts'
import type { OrderRunReport } from '../load/order-run.ts'

/** More discrepancies than these are only counted. */
const shownDiscrepancies = 20

/** The end of a run, for a person. */
export function formatSummary(report: OrderRunReport, { bold, dim, green, red, yellow }: Colors): string {
  const { placed, shipped, cancelled, declined, outOfStock, pending, discrepancies } = report
  const row = (name: string, value: string, note = '') =>
    `  ${dim(name.padEnd(12))}${value}${note && dim(`   ${note}`)}`
  const perSecond = report.ms > 0 ? (placed * 1000) / report.ms : 0
  return [
    bold(`${placed} orders in ${(report.ms / 1000).toFixed(1)} s`) + dim(`, ${perSecond.toFixed(0)} a second`),
    row('shipped', green(String(shipped))),
    row('cancelled', yellow(String(cancelled)), `${declined} payment declined, ${outOfStock} out of stock`),
    row('pending', pending === 0 ? '0' : red(String(pending))),
    row('accepted', latency(report.accepted), 'POST to 202'),
    row('shipped in', latency(report.shippedIn), 'POST to OrderShipped'),
    row(
      'duplicates',
      String(report.duplicates),
      `deliveries seen again and ignored; ${report.repeatedRecords} records were on the topics twice`,
    ),
    discrepancies.length === 0
      ? row('books', green('agree'), 'stock, money and mails are what the events say')
      : row('books', red(`${discrepancies.length} discrepancies`)),
    ...discrepancies.slice(0, shownDiscrepancies).map(({ about, message }) => `    ${red(about)}: ${message}`),
    ...(discrepancies.length > shownDiscrepancies ? [`    and ${discrepancies.length - shownDiscrepancies} more`] : []),
  ].join('\n')
}

function latency({ count, p50, p95, max }: Latency): string {
  return count === 0 ? 'none' : `p50 ${time(p50)}  p95 ${time(p95)}  max ${time(max)}`
}

function time(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}

/** The end of a run, for a program: one line. */
export function jsonSummary(report: OrderRunReport): string {
  const { placed, shipped, cancelled, pending, duplicates, ms, accepted, shippedIn, discrepancies } = report
  return JSON.stringify({
    placed,
    shipped,
    cancelled,
    pending,
    duplicates,
    ms: Math.round(ms),
    acceptedMs: rounded(accepted),
    shippedMs: rounded(shippedIn),
    discrepancies: discrepancies.length,
  })
}

function rounded({ p50, p95 }: Latency) {
  return { p50: Math.round(p50), p95: Math.round(p95) }
}

/** 0 when every order has ended and the books agree. */
export function exitCodeOf(report: OrderRunReport): 0 | 1 {
  return report.pending === 0 && report.discrepancies.length === 0 ? 0 : 1
}
