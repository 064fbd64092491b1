/** Days since 1970-01-01 as text such as `2026-01-31`, for the years 0000 to 9999. */

const dayMs = 86_400_000
const firstDay = Date.parse('0000-01-01T00:00:00Z') / dayMs
const lastDay = Date.parse('9999-12-31T00:00:00Z') / dayMs
const dateRule = /^\d{4}-\d\d-\d\d$/

/** The day as text; `undefined` outside of the years that four digits can write. */
export function dateText(day: number): string | undefined {
  return day >= firstDay && day <= lastDay ? new Date(day * dayMs).toISOString().slice(0, 10) : undefined
}

/** The day that a text names; `undefined` when there is no such day. */
export function dayOf(text: string): number | undefined {
  if (!dateRule.test(text)) return undefined
  const day = Date.parse(`${text}T00:00:00Z`) / dayMs
  // JavaScript takes the 30th of February for the 2nd of March.
  return dateText(day) === text ? day : undefined
}

const instantRule = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

/** The moment that an ISO-8601 text with a time zone names; `undefined` when it names none. */
export function instantOf(text: string): Date | undefined {
  if (!instantRule.test(text)) return undefined
  const date = text.slice(0, text.indexOf('T'))
  if (date.length === 10 && dayOf(date) === undefined) return undefined
  const instant = new Date(text)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}
