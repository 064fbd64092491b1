import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { simpleParser } from 'mailparser'
import { z } from 'zod'

const ReceivedMail = z.object({
  messageId: z.string(),
  orderId: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
})

/** One distinct mail, and how often it came. */
export type ReceivedMail = z.infer<typeof ReceivedMail> & { readonly times: number }

/** What the sink has received: mails with the same Message-ID are one. */
export class Mailbox {
  readonly #mails = new Map<string, ReceivedMail>()
  readonly #file: string | undefined

  /** @param file keeps the mails across restarts, one line for each that came. */
  constructor(file: string | undefined) {
    this.#file = file
    if (file === undefined || !existsSync(file)) return
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const mail = readLine(line)
      if (mail !== undefined) this.#count(mail)
    }
  }

  async receive(mime: Buffer): Promise<void> {
    const parsed = await simpleParser(mime, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true })
    const to = Array.isArray(parsed.to) ? parsed.to[0] : parsed.to
    const orderId = parsed.headers.get('x-order-id')
    const mail = {
      messageId: parsed.messageId ?? '',
      orderId: typeof orderId === 'string' ? orderId : '',
      to: to?.text ?? '',
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
    }
    // Kept before the mail server's answer says so.
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(mail)}\n`)
    this.#count(mail)
  }

  all(): ReceivedMail[] {
    return [...this.#mails.values()]
  }

  #count(mail: z.infer<typeof ReceivedMail>): void {
    this.#mails.set(mail.messageId, { ...mail, times: (this.#mails.get(mail.messageId)?.times ?? 0) + 1 })
  }
}

/** `undefined` for an empty line, and for a last one that a crash cut off. */
function readLine(line: string): z.infer<typeof ReceivedMail> | undefined {
  try {
    return ReceivedMail.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}
