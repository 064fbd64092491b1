/** How many different texts are kept planned; programs that build texts on the fly must not fill the server's memory. */
const maxStatements = 500

/**
 * Never planned under a name: on a connection that lost its plans (`DISCARD ALL`, a pooler) a named BEGIN would fail, and
 * what follows it would commit by itself.
 */
const unnamed: ReadonlySet<string> = new Set(['BEGIN', 'COMMIT', 'ROLLBACK'])

const names = new Map<string, string>()

/**
 * The name under which a connection keeps the plan of a text, or `undefined` for one too many or one that must not have a name. The same in the whole
 * process, so that it means the same on every connection.
 */
export function preparedName(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= maxStatements || unnamed.has(text)) return known
  const name = `evtkit_${names.size + 1}`
  names.set(text, name)
  return name
}

/** SQLSTATEs that tell that the plans a connection keeps are of no use any more: it is better replaced. */
export const stalePlanStates: ReadonlySet<string> = new Set([
  '0A000', // "cached plan must not change result type": the table was changed under a `select *`
  '26000', // the statement is not known, as behind a pooler that switched the connection
  '42P05', // the name is taken already, for the same reason
])
