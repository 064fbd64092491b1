/** A line to a server that a test can freeze or cut. */
import { connect, createServer, type Socket } from 'node:net'

export interface FaultyLink {
  /** Takes the place of the server's port. */
  readonly port: number
  /** Nothing passes any more and nobody is told, as when a cable is pulled; new connections are accepted and get no answer. */
  freeze(): void
  thaw(): void
  /** Once: lets the client's next bytes that hold `text` through, keeps everything the server says after that, and cuts the connection. */
  loseAnswerTo(text: string): void
  /** Like {@link loseAnswerTo}, without cutting: the connection looks alive and stays silent. */
  swallowAnswerTo(text: string): void
  /** Cuts every connection. */
  cut(): void
  /** Connections at the moment. */
  readonly connections: number
  close(): Promise<void>
}

export async function faultyLink(to: { readonly host: string; readonly port: number }): Promise<FaultyLink> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>()
  let frozen = false
  let lost: { readonly text: string; readonly cut: boolean } | undefined

  const link = createServer((client) => {
    const server = connect(to)
    const pair = { client, server }
    pairs.add(pair)
    let silenced = false
    client.on('data', (bytes) => {
      server.write(bytes)
      if (lost === undefined || !bytes.includes(lost.text)) return
      silenced = true
      const { cut } = lost
      lost = undefined
      // Once the server says something, it has done what it was told.
      if (cut) server.once('data', () => client.destroy())
    })
    server.on('data', (bytes) => {
      if (!silenced) client.write(bytes)
    })
    for (const socket of [client, server]) {
      if (frozen) socket.pause()
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        client.destroy()
        server.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => link.listen(0, '127.0.0.1', resolve))
  const address = link.address()

  const eachSocket = (apply: (socket: Socket) => void) => {
    for (const { client, server } of pairs) for (const socket of [client, server]) apply(socket)
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    freeze() {
      frozen = true
      eachSocket((socket) => socket.pause())
    },
    thaw() {
      frozen = false
      eachSocket((socket) => socket.resume())
    },
    loseAnswerTo(text) {
      lost = { text, cut: true }
    },
    swallowAnswerTo(text) {
      lost = { text, cut: false }
    },
    cut: () => eachSocket((socket) => socket.destroy()),
    get connections() {
      return pairs.size
    },
    async close() {
      eachSocket((socket) => socket.destroy())
      await new Promise((resolve) => link.close(resolve))
    },
  }
}

/** A link to the database of a URL, and the URL by which it leads there. */
export async function databaseLink(databaseUrl: string): Promise<{ readonly link: FaultyLink; readonly url: string }> {
  const url = new URL(databaseUrl)
  const link = await faultyLink({ host: url.hostname, port: Number(url.port === '' ? 5432 : url.port) })
  url.host = `127.0.0.1:${link.port}`
  return { link, url: url.href }
}
