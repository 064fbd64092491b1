/** Runs one part of the shop as a process of its own: `main.ts orders`. */
import { closeOnSignals } from '@evtkit/sdk'
import { pino } from 'pino'
import { partNames } from '../platform/service.ts'
import { createProcessHost } from './process-host.ts'

const name = partNames.find((candidate) => candidate === process.argv[2])
if (name === undefined) {
  console.error(`usage: main.ts <part>, one of ${partNames.join(', ')}; got ${process.argv[2] ?? 'nothing'}`)
  process.exit(2)
}

/** Time for what is under way once the process is told to go; the rest comes again after the next start. Milliseconds. */
const graceMs = 10_000

const logger = pino({ base: { part: name }, timestamp: pino.stdTimeFunctions.isoTime })
const { host, port } = createProcessHost(name, process.env, logger)
const ending = closeOnSignals({ [name]: host }, { deadlineMs: graceMs, logger })

try {
  const url = await host.listen(port)
  logger.info({ url }, `listening on ${url}`)
  await host.start()
  logger.info({}, 'running')
} catch (error) {
  // When it was told to end while it still waited for its database or broker, nothing is wrong.
  if (!ending.signal.aborted) {
    logger.error({ err: error }, `could not start: ${error instanceof Error ? error.message : String(error)}`)
    ending.dispose()
    await host.close(graceMs).catch((cause) => logger.error({ err: cause }, 'could not close'))
    process.exit(1)
  }
}
