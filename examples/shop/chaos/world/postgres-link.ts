import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What the server says when a COMMIT was carried out: the tag of a completed command, with its length. */
const committed = Buffer.concat([Buffer.from('C'), Buffer.from([0, 0, 0, 11]), Buffer.from('COMMIT\0')])

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Nothing passes any more, and neither side is told. */
  silent: boolean
}

/** The network between the services and PostgreSQL, which fails on command. */
export class PostgresLink {
  readonly #target: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #commitAnswersToLose = 0
  #lost = 0
  #closedToNew = false

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  static async open(targetPort: number): Promise<PostgresLink> {
    const link = new PostgresLink(targetPort)
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the link to PostgreSQL is closed')
    return address.port
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Answers to COMMIT that were lost since the start. */
  get lostCommitAnswers(): number {
    return this.#lost
  }

  /** The next transactions are committed, and their clients lose the connection instead of hearing of it. */
  loseCommitAnswers(count: number): void {
    this.#commitAnswersToLose = count
  }

  /**
   * From now on nothing passes on the connections there are, and neither side hears of it. They do not come back to life:
   * at `heal` each side learns from the other that it was forgotten.
   *
   * @param newOnesToo whether new connections are silent as well, until `heal`
   * @returns how many connections were cut off
   */
  goSilent({ newOnesToo = false }: { readonly newOnesToo?: boolean } = {}): number {
    this.#closedToNew = newOnesToo
    for (const pair of this.#pairs) pair.silent = true
    return this.#pairs.size
  }

  heal(): void {
    this.#closedToNew = false
    this.#commitAnswersToLose = 0
    for (const { client, server, silent } of this.#pairs) {
      if (!silent) continue
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
    await closed
  }

  #ended(pair: Pair): void {
    if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair)
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    const pair: Pair = { client, server, silent: this.#closedToNew }
    this.#pairs.add(pair)
    client.setNoDelay(true)
    server.setNoDelay(true)
    client.on('error', () => {})
    server.on('error', () => {})
    client.on('data', (chunk) => {
      if (!pair.silent && !server.destroyed && !server.write(chunk)) pauseUntilDrained(client, server)
    })
    server.on('data', (chunk) => {
      if (pair.silent) return
      if (this.#commitAnswersToLose > 0 && chunk.includes(committed)) {
        this.#commitAnswersToLose--
        this.#lost++
        client.destroy()
        return
      }
      if (!client.destroyed && !client.write(chunk)) pauseUntilDrained(server, client)
    })
    client.on('close', () => {
      this.#ended(pair)
      // The other side of a silent connection goes on believing in it.
      if (!pair.silent) server.destroy()
    })
    server.on('close', () => {
      this.#ended(pair)
      if (!pair.silent) client.destroy()
    })
  }
}

function pauseUntilDrained(from: Socket, to: Socket): void {
  from.pause()
  to.once('drain', () => from.resume())
  to.once('close', () => from.resume())
}
