import type { ReceivedMail } from './mailbox.ts'

/** The mails as a small page, the latest first. */
export function mailPage(mails: readonly ReceivedMail[]): string {
  const latest = mails.slice(-200).reverse()
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mail sink</title>
<h1>${mails.length} mail(s)</h1>
${latest.map(article).join('\n')}
</html>
`
}

function article({ to, subject, text, messageId, times }: ReceivedMail): string {
  const repeated = times > 1 ? ` (handed over ${times} times)` : ''
  return `<article><h2>${asHtml(subject)}</h2><p>to ${asHtml(to)}, ${asHtml(messageId)}${repeated}</p><pre>${asHtml(text)}</pre></article>`
}

function asHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
