import { silentLogger } from '@evtkit/sdk'
import { afterEach, expect, test } from 'vitest'
import { createSmtpMailer, type Mailer } from '../notifications/mailer.ts'
import { mailPage } from './mail-page.ts'
import { Mailbox } from './mailbox.ts'
import { SmtpListener } from './smtp-listener.ts'

const mail = {
  orderId: 'o-1',
  template: 'ORDER_SHIPPED',
  to: 'ada@example.com',
  subject: 'Your parcel is on its way',
  text: 'Hello Ada,\n\n.\nit is on its way.\n',
  messageId: '<e-1@notifications.shop.example>',
  idempotencyKey: 'e-1',
} as const

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A sink that listens, and a mailer that speaks SMTP with it. */
const sink = async (): Promise<{ mailbox: Mailbox; mailer: Mailer }> => {
  const mailbox = new Mailbox(undefined)
  const ports: number[] = []
  const logger = { ...silentLogger, info: (fields: object) => 'port' in fields && ports.push(Number(fields.port)) }
  const listener = new SmtpListener({ port: 0, receive: (mime) => mailbox.receive(mime), logger })
  await listener.start()
  opened.push(() => listener.close())
  const mailer = createSmtpMailer(`smtp://127.0.0.1:${ports[0]}`)
  opened.push(() => mailer.close())
  return { mailbox, mailer }
}

test('a mail arrives by SMTP as it was written', async () => {
  const { mailbox, mailer } = await sink()
  await mailer.send(mail)
  expect(mailbox.all()).toEqual([
    expect.objectContaining({
      messageId: mail.messageId,
      orderId: 'o-1',
      to: 'ada@example.com',
      subject: mail.subject,
      times: 1,
    }),
  ])
  expect(mailbox.all()[0]?.text.trimEnd()).toBe(mail.text.trimEnd())
})

test('the same mail handed over twice is one mail', async () => {
  const { mailbox, mailer } = await sink()
  await mailer.send(mail)
  await mailer.send(mail)
  expect(mailbox.all()).toEqual([expect.objectContaining({ messageId: mail.messageId, times: 2 })])
})

test('the page shows mails without letting them become part of it', () => {
  const page = mailPage([
    {
      messageId: '<x>',
      orderId: 'o',
      to: 'a@b',
      subject: '<img src=x onerror=alert(1)>',
      text: '</pre><script>',
      times: 1,
    },
  ])
  expect(page).not.toMatch(/<img|<script/)
  expect(page).toContain('&lt;img')
})
