/**
 * Repeats a check until it no longer throws, and returns its result; when time is up, throws what it threw last.
 * Give assertions a message: without one, Node reads and parses the source at every failure to make one up.
 */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  patienceMs: number,
): Promise<Awaited<Result>> {
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
