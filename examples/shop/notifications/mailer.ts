import { DependencyUnavailableError } from '@evtkit/sdk'
import { createTransport } from 'nodemailer'
import type { Fetch } from '../platform/fetch.ts'
import type { Mail } from './mail.ts'

/** Hands mails over to a mail server. */
export interface Mailer {
  /**
   * Resolves once the server has taken the mail. The same mail may be handed over again; its Message-ID tells.
   *
   * @throws DependencyUnavailableError when the server cannot be reached: an outage, which is no mail's fault.
   */
  send(mail: Mail): Promise<void>
  close(): void
}

const from = 'The Shop <shop@shop.example>'

/** A mailer over SMTP, which keeps a few connections open. */
export function createSmtpMailer(url: string): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 4,
    connectionTimeout: 5000,
    socketTimeout: 10_000,
  })
  return {
    async send(mail) {
      try {
        await transport.sendMail(toMessage(mail))
      } catch (cause) {
        throw isUnreachable(cause) ? unavailable(cause) : cause
      }
    },
    close: () => transport.close(),
  }
}

/** A mailer that hands the finished mail to the mail sink over HTTP, byte for byte as it would have left by SMTP. */
export function createSinkMailer(sink: Fetch): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  return {
    async send(mail) {
      const { message } = await transport.sendMail(toMessage(mail))
      const answer = await sink('/mails', {
        method: 'POST',
        headers: { 'content-type': 'message/rfc822' },
        body: message.toString(),
      }).catch((cause: unknown) => {
        throw unavailable(cause)
      })
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`the mail sink answered ${answer.status}, expected 204`)
    },
    close: () => transport.close(),
  }
}

/** By the codes of nodemailer for a server that is not there, goes away or does not answer. */
function isUnreachable(error: unknown): boolean {
  const codes: unknown[] = ['ECONNECTION', 'ESOCKET', 'ETIMEDOUT', 'EDNS']
  return error instanceof Error && 'code' in error && codes.includes(error.code)
}

function unavailable(cause: unknown): DependencyUnavailableError {
  return new DependencyUnavailableError('mail server', 'the mail server cannot be reached', { cause })
}

function toMessage({ to, subject, text, messageId, idempotencyKey, orderId }: Mail) {
  return {
    from,
    to,
    subject,
    text,
    messageId,
    headers: { 'X-Idempotency-Key': idempotencyKey, 'X-Order-Id': orderId },
    // A recipient or text from outside must never make the mailer read a file or fetch a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
