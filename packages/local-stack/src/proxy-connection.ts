import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direction, FaultAction } from './fault.ts'
import type { Dialect, Piece } from './proxy-dialect.ts'
import type { ProxyLink } from './proxy-link.ts'

/** What a connection asks its proxy. */
export interface ProxyRules<Subject> {
  /** What is to happen to this piece; undefined lets it pass. */
  decide(direction: Direction, piece: Piece<Subject>, link: ProxyLink): FaultAction | undefined
  /** Resolves when pieces may pass this way; at once unless the proxy is a black hole. */
  passable(direction: Direction): Promise<void>
  /** How much later than it came a piece is passed on just now. Milliseconds. */
  latencyMs(direction: Direction): number
  /** In portions of how many bytes a piece is passed on just now. */
  readonly portionBytes: number
  /** Ends all waiting when the proxy closes. */
  readonly signal: AbortSignal
}

/** One client's connection through the proxy and the proxy's own to the server. */
export class ProxyConnection<Subject> implements ProxyLink {
  readonly id: number
  readonly clientPort: number
  readonly closed: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  readonly #dialect: Dialect<Subject>
  readonly #rules: ProxyRules<Subject>
  #silent = false

  constructor(
    id: number,
    client: Socket,
    target: { readonly host: string; readonly port: number },
    dialect: Dialect<Subject>,
    rules: ProxyRules<Subject>,
  ) {
    this.id = id
    this.clientPort = client.remotePort ?? 0
    this.#client = client
    this.#server = connect(target)
    this.#dialect = dialect
    this.#rules = rules
    client.setNoDelay(true)
    this.#server.setNoDelay(true)
    const clientDone = this.#forward('request', client, this.#server)
    const serverDone = this.#forward('response', this.#server, client)
    this.closed = Promise.all([clientDone, serverDone]).then(() => undefined)
  }

  get isOpen(): boolean {
    return !this.#client.destroyed
  }

  halfOpen(): void {
    this.#silent = true
  }

  reset(): void {
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }

  close(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  /** Resolves when the side has ended and all that it sent before has been dealt with. */
  #forward(direction: Direction, from: Socket, to: Socket): Promise<void> {
    // One after the other, so that a piece that is late holds up those behind it, as in TCP.
    let dealtWith = Promise.resolve()
    return new Promise((resolve) => {
      from.on('data', (chunk: Buffer) => {
        // What a silent connection still receives is read and forgotten: its sender must not notice.
        if (this.#silent) return
        const cameAt = performance.now()
        for (const piece of this.#dialect.read(direction, chunk))
          dealtWith = dealtWith.then(() => this.#deal(direction, piece, cameAt, from, to))
      })
      // Reported by `close` as well, which is all that matters here.
      from.on('error', () => {})
      from.on('close', () => {
        // What a client sent before it left still reaches the server, late requests included.
        void dealtWith.then(() => {
          // The other side of a silent connection hears of no end; it goes when the client does.
          if (!this.#silent || from === this.#client) to.destroySoon()
          resolve()
        })
      })
    })
  }

  async #deal(direction: Direction, piece: Piece<Subject>, cameAt: number, from: Socket, to: Socket): Promise<void> {
    if (this.#silent) return
    const answer = direction === 'request' ? this.#dialect.answerTo?.(piece) : undefined
    if (answer !== undefined) {
      from.write(answer)
      return
    }
    const action = this.#rules.decide(direction, piece, this)
    await this.#waitUntil(cameAt + this.#rules.latencyMs(direction) + (action?.kind === 'delay' ? action.delayMs : 0))
    await this.#rules.passable(direction)
    if (this.#silent || action?.kind === 'drop') return
    if (action?.kind === 'silence') return this.halfOpen()
    if (action?.kind === 'close') return this.close()
    if (action?.kind === 'reset') return this.reset()
    if (to.destroyed || this.#rules.signal.aborted) return
    if (action?.kind === 'cut') {
      if (action.bytes > 0) to.write(piece.bytes.subarray(0, action.bytes))
      to.destroySoon()
      from.destroy()
      return
    }
    await this.#write(action?.kind === 'replace' ? action.bytes : piece.bytes, from, to)
  }

  async #waitUntil(at: number): Promise<void> {
    const ms = at - performance.now()
    if (ms > 0) await sleep(ms, undefined, { signal: this.#rules.signal }).catch(() => {})
  }

  async #write(bytes: Buffer, from: Socket, to: Socket): Promise<void> {
    const { portionBytes } = this.#rules
    let rest = bytes
    while (rest.length > portionBytes && !to.destroyed) {
      to.write(rest.subarray(0, portionBytes))
      rest = rest.subarray(portionBytes)
      // A turn of the event loop makes each portion a packet of its own.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (to.destroyed || to.write(rest)) return
    from.pause()
    to.once('drain', () => from.resume())
    to.once('close', () => from.resume())
  }
}
