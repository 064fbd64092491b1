/** The whole shop in this process, a mixed set of orders through its front door, and what became of each. */
import { systemClock } from '@evtkit/sdk'
import pico from 'picocolors'
import { runOrders } from '../load/order-run.ts'
import { repeatingSender } from '../load/repeating-sender.ts'
import { createEmbeddedGround } from '../platform/embedded-ground.ts'
import { fetchAt } from '../platform/fetch.ts'
import { readSettings } from '../platform/settings.ts'
import { startShop } from '../platform/shop.ts'
import { parts } from '../process/parts.ts'
import { type DemoArguments, readArguments, usage } from './arguments.ts'
import { curlExamples } from './curl-examples.ts'
import { Show, shownInFull } from './show.ts'
import { exitCodeOf, formatSummary, jsonSummary } from './summary.ts'

/** Every so many records one is sent twice, so that the demo has duplicates to ignore. */
const repeatEvery = 12

// Colours are for people: none where the output goes to a file or another program.
const colors = pico.createColors(pico.isColorSupported && process.stdout.isTTY === true)

async function demo({ orders, serve, json, port }: DemoArguments): Promise<number> {
  const show = new Show({ colors, orders, clock: systemClock, print: console.log })
  console.log(colors.dim('starting six services on a memory broker and PGlite …'))
  const { codec } = readSettings(process.env)
  const ground = await createEmbeddedGround(show.logger, systemClock, codec)
  const wire = ground.openWire()
  const shop = await startShop({
    parts,
    ground,
    port,
    logger: show.logger,
    aroundSender: (sender) => repeatingSender(sender, repeatEvery),
  })
  const stop = new AbortController()
  const interrupted = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  // The first Ctrl+C ends the run in an orderly way, the second one at once.
  const interrupt = () => (stop.signal.aborted ? process.exit(1) : stop.abort())
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    console.log(`gateway at ${colors.bold(shop.url)}, one record in ${repeatEvery} is sent twice on purpose\n`)
    show.begin()
    let firstOrder: string | undefined
    const report = await runOrders({
      fetchFrom: (part) => (part === 'gateway' ? fetchAt(shop.url) : shop.fetchFrom(part)),
      source: ground.broker,
      codec: wire.codec,
      clock: systemClock,
      logger: show.logger,
      count: orders,
      // Few at once when every line is shown, so that an order can be followed by eye.
      concurrency: orders <= shownInFull ? 4 : 16,
      signal: stop.signal,
      onPlaced(order) {
        firstOrder ??= order.orderId
        show.placed(order)
      },
      onFact: (fact) => show.fact(fact),
    })
    show.end()
    console.log(`\n${formatSummary(report, colors)}`)
    if (json) console.log(jsonSummary(report))
    if (serve && !stop.signal.aborted) {
      console.log(`\n${curlExamples(shop.url, firstOrder ?? '', colors)}`)
      await interrupted
    }
    return exitCodeOf(report)
  } finally {
    show.end()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await shop.close()
    await wire.close()
    await ground.close()
  }
}

try {
  const options = orUsage(() => readArguments(process.argv.slice(2)))
  if (options?.help) console.log(usage)
  else if (options !== undefined) process.exitCode = await demo(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** What the command line asks for, or, when it asks for something that does not exist, a word about what does. */
function orUsage(read: () => DemoArguments): DemoArguments | undefined {
  try {
    return read()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exitCode = 2
    return undefined
  }
}
