/** One row: column name to value. `bigint` and `numeric` come as text, `bytea` as a Buffer, on every database. */
export type Row = Record<string, unknown>

export interface QueryResult {
  readonly rows: readonly Row[]
  /** Rows returned or changed; `null` for statements that do neither. */
  readonly rowCount: number | null
}

/** Whatever runs statements: the database itself, a session, or an open transaction. */
export interface Queryable {
  /**
   * Runs one statement. A text with values is planned once per connection and then only executed, so keep what changes in
   * the values. A text without values may hold several statements; the last one's result is returned.
   *
   * @throws DatabaseUnavailableError when the database cannot be reached or cannot serve. Anything else the database
   * says passes as it is, with its SQLSTATE in `code`.
   */
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>
}
