/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Output {
  /** Whether results are NDJSON. */
  readonly json: boolean
  /** Whether a person looks at standard output. */
  readonly terminal: boolean
  /** Colours for what is given to `line`, `table`, `note` and `warn`; they do nothing where there are none. */
  readonly style: Style
  /** One result: a JSON line with `--json`; otherwise nothing, the command prints it for people by `line` or `table`. */
  record(value: unknown): void
  /** Results as a table on a terminal, or each row as a JSON line with `--json`. */
  table(
    columns: readonly { readonly key: string; readonly title: string }[],
    rows: readonly Readonly<Record<string, unknown>>[],
  ): void
  /** Text for people on standard output; nothing with `--json`. Control characters are escaped unless `style` wrote them. */
  line(text?: string): void
  /** Raw text on standard output, in any mode: a generated document, say. */
  raw(text: string): void
  /** Progress and hints, on standard error. */
  note(text: string): void
  warn(text: string): void
}

/** How words may look. Put the word through it, then print the whole by a method of {@link Output}. */
export type Style = Readonly<Record<StyleName, (text: string) => string>>
export type StyleName = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
