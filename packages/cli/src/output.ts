/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Output {
  /** Whether results are NDJSON. */
  readonly json: boolean
  /** One result: a JSON line with `--json`; otherwise nothing, the command prints it for people by `line` or `table`. */
  record(value: unknown): void
  /** Results as a table on a terminal, or each row as a JSON line with `--json`. */
  table(
    columns: readonly { readonly key: string; readonly title: string }[],
    rows: readonly Readonly<Record<string, unknown>>[],
  ): void
  /** Text for people on standard output; nothing with `--json`. Control characters are escaped unless we wrote them. */
  line(text?: string): void
  /** Raw text on standard output, in any mode: a generated document, say. */
  raw(text: string): void
  /** Progress and hints, on standard error. */
  note(text: string): void
  warn(text: string): void
}
