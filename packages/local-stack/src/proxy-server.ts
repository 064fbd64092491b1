import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Direction, type Fault, type FaultAction, FaultCount, type FaultOptions, FaultRule } from './fault.ts'
import { findFreePort } from './free-port.ts'
import { ProxyConnection } from './proxy-connection.ts'
import type { Dialect, Piece } from './proxy-dialect.ts'
import type { ProxyLink } from './proxy-link.ts'

export interface FaultProxyOptions {
  /** Where the server listens. */
  readonly target: { readonly host: string; readonly port: number }
  /** @default a free one */
  readonly listenPort?: number | undefined
}

/** How a slow stretch of network is slow. */
export interface SlowOptions {
  /** How much later everything arrives; a function is asked for each piece. Milliseconds. @default 0 */
  readonly latencyMs?: number | (() => number)
  /** @default both ways */
  readonly direction?: Direction
  /** Most bytes that pass at once, so that what was sent as one arrives in portions. @default all */
  readonly portionBytes?: number
}

export interface CutOptions {
  /** Which way the bytes are counted. @default 'response' */
  readonly direction?: Direction
  /** How many connections it cuts, each once; `Infinity` for all. @default 1 */
  readonly times?: number
  /** Cuts only these. @default any */
  readonly match?: (link: ProxyLink) => boolean
}

/** What every fault proxy can do to connections, whatever is spoken on them. */
export interface TcpFaultProxy {
  readonly port: number
  /** Clients connected now. */
  readonly connections: number
  /** The connections of these clients, oldest first: each can be ended or silenced by itself. */
  readonly links: readonly ProxyLink[]
  /** Strikes of all faults since the start. */
  readonly faultsFired: number
  /** Everything arrives late, or in small portions, until `heal`. */
  slow(options: SlowOptions): void
  /** The next connection that passes this many bytes, counted from now, ends in the middle of what it says. */
  cutAfter(bytes: number, options?: CutOptions): Fault
  /**
   * Nothing passes, connections stay and new ones are accepted. What is held back passes after `heal`.
   *
   * @param direction holds back one way only: requests arrive and their answers do not, for one. @default both ways
   */
  blackhole(direction?: Direction): void
  /** The connections of this moment carry nothing any more, for good, and nobody is told. New ones are as ever. */
  halfOpen(): void
  /** The connections of this moment end by a reset (RST). New ones are as ever. */
  reset(): void
  /** All connections end, new ones end at once: the server cannot be reached. */
  refuse(): void
  /** Takes away every fault, the slowness, the black hole and the refusal. What is half open stays so. */
  heal(): void
  /** Ends all connections and stops listening. */
  close(): Promise<void>
}

interface Cut extends FaultCount {
  readonly direction: Direction
  readonly bytes: number
  readonly match: (link: ProxyLink) => boolean
  /** Bytes each connection has passed since; absent once it was cut. */
  readonly passed: WeakMap<ProxyLink, number>
}

/** A proxy that runs in this process; `Subject` is what its faults choose by. */
export class ProxyServer<Subject> implements TcpFaultProxy {
  readonly port: number
  readonly #target: FaultProxyOptions['target']
  readonly #dialect: () => Dialect<Subject>
  readonly #server: Server
  readonly #closing = new AbortController()
  readonly #open = new Set<ProxyConnection<Subject>>()
  readonly #holes = new Map<Direction, { readonly healed: Promise<void>; readonly heal: () => void }>()
  #rules: FaultRule<Subject>[] = []
  #cuts: Cut[] = []
  #slow: SlowOptions = {}
  #accepted = 0
  #faultsFired = 0
  #refusing = false

  constructor(port: number, target: FaultProxyOptions['target'], dialect: () => Dialect<Subject>) {
    this.port = port
    this.#target = target
    this.#dialect = dialect
    this.#server = createServer((client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get connections(): number {
    return this.#open.size
  }

  get links(): readonly ProxyLink[] {
    return [...this.#open]
  }

  get faultsFired(): number {
    return this.#faultsFired
  }

  slow(options: SlowOptions): void {
    this.#slow = options
  }

  cutAfter(bytes: number, { direction = 'response', times, match = () => true }: CutOptions = {}): Fault {
    const cut = Object.assign(new FaultCount(times), { direction, bytes, match, passed: new WeakMap() })
    this.#cuts.push(cut)
    return cut
  }

  blackhole(direction?: Direction): void {
    const directions: readonly Direction[] = direction === undefined ? ['request', 'response'] : [direction]
    for (const one of directions) {
      if (this.#holes.has(one)) continue
      let heal = () => {}
      const healed = new Promise<void>((resolve) => {
        heal = resolve
      })
      this.#holes.set(one, { healed, heal })
    }
  }

  halfOpen(): void {
    for (const connection of this.#open) connection.halfOpen()
  }

  reset(): void {
    for (const connection of this.#open) connection.reset()
  }

  refuse(): void {
    this.#refusing = true
    for (const connection of this.#open) connection.close()
  }

  heal(): void {
    this.#rules = []
    this.#cuts = []
    this.#slow = {}
    this.#refusing = false
    for (const { heal } of this.#holes.values()) heal()
    this.#holes.clear()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#closing.abort()
    this.heal()
    const open = [...this.#open]
    for (const connection of open) connection.close()
    await Promise.all([closed, ...open.map((connection) => connection.closed)])
  }

  /** Sets up a fault: what it does with a piece, or undefined where it is not for it. */
  protected add(
    direction: Direction,
    act: (subject: Subject, bytes: Buffer) => FaultAction | undefined,
    options?: FaultOptions<Subject>,
  ): Fault {
    const rule = new FaultRule(direction, act, options)
    this.#rules.push(rule)
    return rule
  }

  /** Called for each piece before anything is decided about it. */
  protected passing(_direction: Direction, _subject: Subject): void {}

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.destroy()
      return
    }
    const slow = () => this.#slow
    const connection = new ProxyConnection<Subject>(++this.#accepted, client, this.#target, this.#dialect(), {
      decide: (direction, piece, link) => this.#decide(direction, piece, link),
      passable: (direction) => this.#holes.get(direction)?.healed ?? Promise.resolve(),
      latencyMs: (direction) => this.#latencyMs(direction),
      get portionBytes() {
        return slow().portionBytes ?? Number.POSITIVE_INFINITY
      },
      signal: this.#closing.signal,
    })
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
  }

  #latencyMs(way: Direction): number {
    const { direction, latencyMs = 0 } = this.#slow
    if (direction !== undefined && direction !== way) return 0
    return typeof latencyMs === 'function' ? latencyMs() : latencyMs
  }

  #decide(direction: Direction, { bytes, subject }: Piece<Subject>, link: ProxyLink): FaultAction | undefined {
    if (subject !== undefined) {
      this.passing(direction, subject)
      for (const rule of this.#rules) {
        const action = rule.actionFor(direction, subject, bytes, link)
        if (action === undefined) continue
        rule.strike()
        this.#faultsFired++
        return action
      }
    }
    return this.#cutting(direction, bytes.length, link)
  }

  #cutting(direction: Direction, length: number, link: ProxyLink): FaultAction | undefined {
    for (const cut of this.#cuts) {
      if (cut.isUsedUp || cut.direction !== direction || !cut.match(link)) continue
      const passed = cut.passed.get(link) ?? 0
      cut.passed.set(link, passed + length)
      if (passed + length <= cut.bytes) continue
      cut.strike()
      this.#faultsFired++
      return { kind: 'cut', bytes: Math.max(0, cut.bytes - passed) }
    }
    return undefined
  }
}

/** Builds a proxy and has it listen. */
export async function listening<Proxy extends { listen(): Promise<void> }>(
  { listenPort }: FaultProxyOptions,
  build: (port: number) => Proxy,
): Promise<Proxy> {
  const proxy = build(listenPort ?? (await findFreePort()))
  await proxy.listen()
  return proxy
}
