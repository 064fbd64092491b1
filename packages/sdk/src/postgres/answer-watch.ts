/** A connection that may be owed an answer. */
export interface Owed {
  readonly processId: number | undefined
  /** How long the server has said nothing while it owes an answer; 0 when it owes none. Milliseconds. */
  readonly silentMs: number
  /** The server still works on it. */
  stillWorking(): void
  giveUp(reason: Error): void
}

/** Tells which of these backends the server still works for; rejects when the server cannot be asked. */
export type AskServer = (processIds: readonly number[]) => Promise<ReadonlySet<number>>

/**
 * Looks after the connections of a pool. A server that owes one of them an answer for too long is asked, on another
 * connection, whether it still works on it: a slow statement goes on, and a connection whose answer will never come (the
 * server is frozen, the line is cut, the answer was lost) is given up.
 */
export class AnswerWatch {
  readonly #silenceMs: number
  readonly #ask: AskServer
  readonly #connections = new Set<Owed>()
  #timer: NodeJS.Timeout | undefined
  #asking = false

  constructor(silenceMs: number, ask: AskServer) {
    this.#silenceMs = silenceMs
    this.#ask = ask
  }

  add(connection: Owed): void {
    this.#connections.add(connection)
    if (!Number.isFinite(this.#silenceMs)) return
    this.#timer ??= setInterval(() => void this.look(), Math.max(10, Math.min(this.#silenceMs / 10, 60_000))).unref()
  }

  remove(connection: Owed): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.close()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async look(): Promise<void> {
    if (this.#asking) return
    const silent = [...this.#connections].filter((connection) => connection.silentMs >= this.#silenceMs)
    if (silent.length === 0) return
    this.#asking = true
    try {
      const working = await this.#working(silent)
      for (const connection of silent) {
        // It may have been answered while the server was asked.
        if (connection.silentMs < this.#silenceMs) continue
        if (working(connection)) connection.stillWorking()
        else connection.giveUp(new Error(`no answer for ${Math.round(connection.silentMs)} ms`))
      }
    } finally {
      this.#asking = false
    }
  }

  async #working(silent: readonly Owed[]): Promise<(connection: Owed) => boolean> {
    const processIds = silent.flatMap(({ processId }) => (processId === undefined ? [] : [processId]))
    try {
      const found = await this.#ask(processIds)
      return ({ processId }) => processId !== undefined && found.has(processId)
    } catch {
      return () => false
    }
  }
}
