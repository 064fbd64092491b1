import type { Context } from './context.ts'

/** Continues with the rest of the pipeline; may finish at once, without a promise. */
export type Next = () => void | Promise<void>

/**
 * Surrounds the handling of one delivery. It sees the message, never the decoded fact, and may call `next` once.
 * What it throws is treated as if the handler had thrown it.
 */
export type Middleware = (context: Context, next: Next) => void | Promise<void>

/** Composes middleware around `innermost`, the first of the list outermost. */
export function compose(
  middleware: readonly Middleware[],
  innermost: (context: Context) => void | Promise<void>,
): (context: Context) => void | Promise<void> {
  return middleware.reduceRight<(context: Context) => void | Promise<void>>(
    (inner, outer) => (context) => outer(context, () => inner(context)),
    innermost,
  )
}
