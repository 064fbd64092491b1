import { setTimeout as sleep } from 'node:timers/promises'
import type { History } from './history.ts'
import { isBusy, type LiveWork, larger } from './live-work.ts'
import { groups, readers } from './readers.ts'
import type { Workload } from './workload.ts'
import type { Program } from './world/program.ts'
import { senders, type WorkerName, type World } from './world/world.ts'

const sampleMs = 150
const atWorkWithinMs = 20_000

/** A fault that has struck and not been healed. */
export interface Strike {
  /** @param struck how often it struck, where that can be counted: 0 means that it never did */
  heal(struck?: number): Promise<void>
}

/** What a scenario works with: the world, the clients, and a way to strike that notes what was on the way. */
export class Conditions {
  readonly world: World
  readonly workload: Workload
  readonly history: History
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal
  #faults: number
  #over = false
  #healedAt = performance.now()

  constructor(options: {
    readonly world: World
    readonly workload: Workload
    readonly history: History
    readonly signal: AbortSignal
    readonly firstFault: number
  }) {
    this.world = options.world
    this.workload = options.workload
    this.history = options.history
    this.signal = options.signal
    this.#faults = options.firstFault
  }

  /** When the last fault was healed, on the clock of `performance`. */
  get healedAt(): number {
    return this.#healedAt
  }

  /** How many faults there were, those of earlier scenarios included. */
  get faults(): number {
    return this.#faults
  }

  pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.signal })
  }

  /** Stops watching faults that were never healed. */
  end(): void {
    this.#over = true
  }

  /** Notes a fault that strikes now; until it is healed it is watched how much is on the way. */
  async strike(
    what: string,
    target: string,
    {
      positions,
      live = {},
    }: { readonly positions?: Record<string, Record<string, number>>; readonly live?: Partial<LiveWork> } = {},
  ): Promise<Strike> {
    const fault = ++this.#faults
    const first = { ...(await this.liveWork()), ...live }
    this.history.note({ kind: 'fault', fault, what, target, live: first, ...(positions && { positions }) })
    let most = first
    let watching = true
    const watch = (async () => {
      while (watching && !this.#over) {
        most = larger(most, await this.liveWork())
        await sleep(sampleMs)
      }
    })()
    return {
      heal: async (struck) => {
        watching = false
        this.#healedAt = performance.now()
        await watch
        this.history.note({ kind: 'healed', fault, live: most, ...(struck !== undefined && { struck }) })
      },
    }
  }

  /** What is on the way everywhere, as far as it can be asked. */
  async liveWork(): Promise<LiveWork> {
    const [lag = {}, unsent = {}] = await Promise.all([this.world.gauge.lag(), this.world.gauge.unsent(senders)])
    return { records: sum(lag), unsent: sum(unsent), requests: this.workload.open }
  }

  /** What one worker has on its hands. */
  async workOf(name: string): Promise<LiveWork> {
    const { gauge } = this.world
    const [lag = {}, unsent = {}] = await Promise.all([
      groups.includes(name) ? gauge.lag([name]) : {},
      senders.some((sender) => sender === name) ? gauge.unsent([name]) : {},
    ])
    return { records: sum(lag), unsent: sum(unsent), requests: readers[name] === undefined ? this.workload.open : 0 }
  }

  /**
   * Waits until a worker has work on its hands and freezes it in that moment, so that what comes next meets it at work.
   *
   * @returns what it had on its hands
   */
  async freezeAtWork(program: Program, role: WorkerName | 'gateway'): Promise<LiveWork> {
    const deadline = performance.now() + atWorkWithinMs
    for (;;) {
      if (isBusy(await this.workOf(role))) {
        program.signal('SIGSTOP')
        const held = await this.workOf(role)
        if (isBusy(held)) return held
        program.signal('SIGCONT')
      }
      this.signal.throwIfAborted()
      if (performance.now() > deadline) return { records: 0, unsent: 0, requests: 0 }
      await sleep(20)
    }
  }

  /** Notes that something promised did not come about. */
  broken(promise: string): void {
    this.history.note({ kind: 'broken', promise })
  }

  /** Resolves with true when it holds in time. */
  async until(withinMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadline = performance.now() + withinMs
    while (!(await holds())) {
      if (performance.now() > deadline) return false
      await this.pause(100)
    }
    return true
  }

  /** What is left to do anywhere, in words; undefined when nothing is. */
  async left(): Promise<string | undefined> {
    const { gauge } = this.world
    if (this.workload.open > 0) return `${this.workload.open} requests have no answer`
    const lag = await gauge.lag()
    if (lag === undefined) return 'the broker does not answer'
    const behind = Object.entries(lag).filter(([, count]) => count > 0)
    if (behind.length > 0) return `not committed: ${behind.map(([group, count]) => `${group} ${count}`).join(', ')}`
    const unsent = await gauge.unsent(senders)
    if (unsent === undefined) return 'a database does not answer'
    const waiting = Object.entries(unsent).filter(([, count]) => count > 0)
    if (waiting.length > 0) return `not sent: ${waiting.map(([name, count]) => `${name} ${count}`).join(', ')}`
    const parked = await gauge.parked(groups)
    if (parked === undefined) return 'a database does not answer'
    const kept = Object.entries(parked).filter(([, count]) => count > 0)
    if (kept.length > 0) return `parked: ${kept.map(([group, count]) => `${group} ${count}`).join(', ')}`
    const open = await gauge.openOrders()
    if (open !== 0) return `${open ?? 'unknown'} orders have not ended`
    return this.world.unready(0)
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
