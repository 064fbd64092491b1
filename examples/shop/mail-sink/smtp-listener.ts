import type { Logger } from '@evtkit/sdk'
import { SMTPServer } from 'smtp-server'

export interface SmtpListenerOptions {
  /** 0 for a free one. */
  readonly port: number
  readonly receive: (mime: Buffer) => Promise<void>
  readonly logger: Logger
}

/** Largest mail the sink takes. Bytes. */
const maxMailBytes = 256 * 1024

/** An SMTP server for development: takes every mail, from anyone, for anyone, and delivers none. */
export class SmtpListener {
  readonly #options: SmtpListenerOptions
  readonly #server: SMTPServer

  constructor(options: SmtpListenerOptions) {
    this.#options = options
    const { receive, logger } = options
    this.#server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      size: maxMailBytes,
      closeTimeout: 1000,
      onData(stream, _session, callback) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.once('end', () => {
          receive(Buffer.concat(chunks)).then(
            () => callback(null),
            (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
          )
        })
      },
    })
    // A client that hangs up in the middle is no reason to end.
    this.#server.on('error', (error) => logger.info({ error }, 'mail connection failed'))
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, '127.0.0.1', () => {
        this.#server.off('error', reject)
        const address = this.#server.server.address()
        const port = typeof address === 'object' && address !== null ? address.port : this.#options.port
        this.#options.logger.info({ port }, `taking mail at smtp://127.0.0.1:${port}`)
        resolve()
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
