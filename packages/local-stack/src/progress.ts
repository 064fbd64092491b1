/** Receives one finished sentence for each thing the local stack does. */
export type Progress = (message: string) => void

/** Writes each sentence as a line to the standard error stream, so that standard output stays free for results. */
export const printProgress: Progress = (message) => {
  process.stderr.write(`${message}\n`)
}

/** `3142` as `3.1 s`. */
export function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`
}
