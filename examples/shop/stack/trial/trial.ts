import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessIdentity } from '@evtkit/local-stack'
import { silentLogger } from '@evtkit/sdk'
import type { Discrepancy } from '../../books/books.ts'
import { checkBooks } from '../../books/check-books.ts'
import { collectBooks } from '../../books/collect-books.ts'
import { FactLog } from '../../load/fact-log.ts'
import { type Fetch, fetchAt } from '../../platform/fetch.ts'
import type { Wire } from '../../platform/wire.ts'
import { isService, type PartName, serviceNames } from '../part.ts'
import { readEnding, signalProcess, waitUntilGone } from '../part-process.ts'
import { openStackWire } from '../schemas.ts'
import type { Stack } from '../stack.ts'
import { StackError } from '../stack-error.ts'
import { startPart } from '../start-part.ts'
import type { Hit } from './hit.ts'
import {
  countOutstanding,
  handledMoreThanOnce,
  isBusy,
  isIdle,
  partitionsLeftBehind,
  readInFlight,
} from './in-flight.ts'
import { OrderStream } from './order-stream.ts'
import { Witness } from './witness.ts'

const POLL_MS = 20
const LIVE_WORK_WITHIN_MS = 30_000

/** A stack under fire: orders flow, parts are signalled and started again, and everything is counted. */
export class Trial {
  readonly #stack: Stack
  readonly #witness: Witness
  readonly #wire: Wire
  readonly #facts: FactLog
  readonly #stream: OrderStream
  readonly #postgres: string
  readonly hits: Hit[] = []

  private constructor(stack: Stack, witness: Witness, wire: Wire, facts: FactLog, ratePerSecond: number) {
    this.#stack = stack
    this.#witness = witness
    this.#wire = wire
    this.#facts = facts
    this.#postgres = stack.state.state.postgres?.address ?? ''
    this.#stream = new OrderStream({ gateway: this.fetchFrom('gateway'), ratePerSecond })
  }

  /** Lets orders flow into a stack that is up. */
  static async start(stack: Stack, ratePerSecond: number): Promise<Trial> {
    const brokers = stack.state.state.kafka?.address.split(',') ?? []
    const witness = await Witness.start(brokers)
    const wire = openStackWire(stack, silentLogger)
    const facts = new FactLog({ source: witness.kafka, codec: wire.codec, logger: silentLogger })
    await facts.start()
    return new Trial(stack, witness, wire, facts, ratePerSecond)
  }

  get stream(): OrderStream {
    return this.#stream
  }

  readonly fetchFrom = (part: PartName): Fetch => fetchAt(`http://127.0.0.1:${this.#stack.state.part(part)?.port}`)

  /**
   * Waits until the part has work on its hands, signals it, waits until its process is gone, and starts it again. Does not
   * wait until it is ready.
   */
  async strike(part: PartName, signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<Hit> {
    const running = this.#stack.state.part(part)?.process
    if (running === undefined) throw new StackError(`${part} does not run`)
    const openRequests = await this.#catchAtWork(part, running, signal)
    const begin = performance.now()
    if (!(await signalProcess(running, signal))) throw new StackError(`${part} ended by itself`)
    if (!(await waitUntilGone(running, withinMs))) {
      throw new StackError(`${part} was still there ${withinMs} ms after ${signal}`)
    }
    const endedInMs = Math.round(performance.now() - begin)
    const hit: Hit = {
      part,
      signal,
      endedInMs,
      ending: readEnding(this.#stack.folder, part, running.pid),
      openRequests,
      outstanding: await countOutstanding(this.#postgres),
      inFlight: isService(part) ? await readInFlight(part, this.#witness, this.#postgres) : undefined,
    }
    this.hits.push(hit)
    await startPart(this.#stack, part)
    return hit
  }

  /** How many records a hit service had handled and will be given once more. */
  handledMoreThanOnce(hit: Hit): number {
    return hit.inFlight === undefined ? 0 : handledMoreThanOnce(hit.inFlight, this.#witness)
  }

  /** How many partitions a hit service left without committing the record at their position, though it had handled it. */
  partitionsLeftBehind(hit: Hit): number {
    return hit.inFlight === undefined ? 0 : partitionsLeftBehind(hit.inFlight, this.#witness)
  }

  /** Records that carry an event that another record carries too. */
  get repeatedRecords(): number {
    return this.#witness.repeatedRecords()
  }

  /**
   * Lets no more orders in and waits until nothing is left to do anywhere.
   *
   * @returns what does not add up then
   */
  async settle(withinMs: number): Promise<readonly Discrepancy[]> {
    await this.#stream.stop()
    const orderIds = this.#stream.placed.map((order) => order.orderId)
    const deadline = performance.now() + withinMs
    for (;;) {
      if (await this.#isIdle()) {
        const books = await collectBooks({ fetchFrom: this.fetchFrom, orderIds, facts: this.#facts.facts })
        const discrepancies = checkBooks(books)
        if (discrepancies.length === 0 || performance.now() > deadline) return discrepancies
      } else if (performance.now() > deadline) {
        const left = await countOutstanding(this.#postgres)
        return [{ about: 'the shop', message: `was still at work after ${withinMs} ms; ${left} orders have not ended` }]
      }
      await sleep(250)
    }
  }

  async close(): Promise<void> {
    await this.#stream.giveUp()
    await this.#facts.close()
    await this.#witness.close()
    await this.#wire.close()
  }

  /**
   * Waits until the part has work on its hands. One that is about to be killed is frozen then and looked at once more, so
   * that the work is still there when the signal comes.
   *
   * @returns the requests to the gateway that are open
   */
  async #catchAtWork(part: PartName, running: ProcessIdentity, signal: NodeJS.Signals): Promise<number> {
    const isAtWork = async () => (isService(part) ? isBusy(part, this.#witness) : this.#stream.open > 0)
    const deadline = performance.now() + LIVE_WORK_WITHIN_MS
    while (performance.now() < deadline) {
      if (await isAtWork()) {
        if (signal !== 'SIGKILL') return this.#stream.open
        await signalProcess(running, 'SIGSTOP')
        const open = this.#stream.open
        if (await isAtWork()) return open
        await signalProcess(running, 'SIGCONT')
      }
      await sleep(POLL_MS)
    }
    throw new StackError(`${part} had nothing to do for ${LIVE_WORK_WITHIN_MS} ms`)
  }

  async #isIdle(): Promise<boolean> {
    if ((await countOutstanding(this.#postgres)) > 0) return false
    for (const service of serviceNames) if (!(await isIdle(service, this.#witness, this.#postgres))) return false
    return true
  }
}
