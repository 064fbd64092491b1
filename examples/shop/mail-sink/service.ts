import type { Part } from '../platform/service.ts'
import { mailPage } from './mail-page.ts'
import { Mailbox } from './mailbox.ts'
import { SmtpListener } from './smtp-listener.ts'

/** A mail server for development that keeps and shows what it receives: `GET /mails`, or `GET /` for a page. */
export const mailSink: Part = {
  kind: 'part',
  name: 'mail-sink',
  create({ http, logger, settings }) {
    const mailbox = new Mailbox(settings.mailFile)
    const receive = (mime: Buffer) => mailbox.receive(mime)
    const { smtpPort } = settings
    const listener = smtpPort === undefined ? undefined : new SmtpListener({ port: smtpPort, receive, logger })

    http.addContentTypeParser('message/rfc822', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    http.post('/mails', async (request, reply) => {
      if (!Buffer.isBuffer(request.body)) return reply.code(415).send()
      await receive(request.body)
      return reply.code(204).send()
    })
    http.get('/mails', async () => mailbox.all())
    http.get('/', async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
        .send(mailPage(mailbox.all())),
    )
    return {
      async start() {
        await listener?.start()
      },
      async close() {
        await listener?.close()
      },
      health: () => [],
    }
  },
}
