/** What a lane does after an item: go on with the next of its key, or hold the key back for now. */
export type LaneOutcome = 'finished' | 'held'

/** First in, first out. An array's own `shift` moves all the others once there are some ten thousand. */
class Waiting {
  #callbacks: (() => void)[] = []
  #next = 0

  get isEmpty(): boolean {
    return this.#next === this.#callbacks.length
  }

  push(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  shift(): (() => void) | undefined {
    const callback = this.#callbacks[this.#next]
    if (callback === undefined) return undefined
    this.#next++
    // Dropping the used half at once costs each callback one move, and bounds what is kept under load without a pause.
    if (this.#next * 2 >= this.#callbacks.length) {
      this.#callbacks = this.#callbacks.slice(this.#next)
      this.#next = 0
    }
    return callback
  }
}

/** A limit on how much runs at once, shared by all lanes of a consumer. */
export class Slots {
  #free: number
  #handingOut = false
  readonly #waiting = new Waiting()

  constructor(count: number) {
    this.#free = count
  }

  tryTake(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  /** Calls back as soon as a slot is free; the slot is then taken. */
  take(callback: () => void): void {
    if (this.tryTake()) callback()
    else this.#waiting.push(callback)
  }

  /** Whether others wait for a slot. */
  get areWanted(): boolean {
    return !this.#waiting.isEmpty
  }

  /** Releases a slot and waits behind all who wait for one, like `take`. */
  giveWay(callback: () => void): void {
    this.#waiting.push(callback)
    this.release()
  }

  release(): void {
    this.#free++
    // A callback may release at once; the loop that is already handing out goes on with it, so the stack stays flat.
    if (this.#handingOut) return
    this.#handingOut = true
    while (this.#free > 0) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#free--
      next()
    }
    this.#handingOut = false
  }
}

interface Lane<Item> {
  readonly queue: Item[]
  held: boolean
}

export interface LanesOptions<Item> {
  readonly slots: Slots
  keyOf(item: Item): string
  /** Must not throw or reject. Returns without a promise when the item was finished at once. */
  run(item: Item): LaneOutcome | Promise<LaneOutcome>
}

/**
 * Runs items of one key one after another, in the order pushed, and items of different keys at once. A lane has its slot
 * for one item: whoever waits for a slot comes before the lane's next, so that a long lane keeps nobody from running.
 * An item that finishes at once costs no promise, no queue and no look-up.
 */
export class Lanes<Item> {
  readonly #options: LanesOptions<Item>
  readonly #lanes = new Map<string, Lane<Item>>()
  #running = 0
  #waiting = 0
  #stopped = false
  #whenIdle: (() => void)[] = []

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  push(item: Item): void {
    if (this.#stopped) return
    const { slots, keyOf } = this.#options
    if (this.#lanes.size === 0 && slots.tryTake()) {
      this.#start(undefined, item)
      return
    }
    const key = keyOf(item)
    const lane = this.#lanes.get(key)
    if (lane !== undefined) {
      if (!lane.held) lane.queue.push(item)
      return
    }
    if (slots.tryTake()) {
      this.#start(key, item)
      return
    }
    const waiting: Lane<Item> = { queue: [item], held: false }
    this.#lanes.set(key, waiting)
    this.#waitForSlot(key, waiting)
  }

  /** Starts nothing more; what runs goes on to its end. */
  stop(): void {
    this.#stopped = true
    for (const lane of this.#lanes.values()) lane.queue.length = 0
    this.#settleIdle()
  }

  /** A lane that waits for a slot after a stop has nothing left to run in it. */
  get isIdle(): boolean {
    return this.#running === 0 && (this.#waiting === 0 || this.#stopped)
  }

  /** Resolves once nothing runs and nothing more can run. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Runs the first item of a key in a slot that was taken for it. */
  #start(key: string | undefined, item: Item): void {
    const outcome = this.#options.run(item)
    if (outcome === 'finished') {
      this.#options.slots.release()
      return
    }
    const laneKey = key ?? this.#options.keyOf(item)
    const lane: Lane<Item> = { queue: [], held: outcome === 'held' }
    this.#lanes.set(laneKey, lane)
    if (outcome === 'held') this.#options.slots.release()
    else this.#follow(laneKey, lane, outcome)
  }

  #follow(key: string, lane: Lane<Item>, outcome: Promise<LaneOutcome>): void {
    this.#running++
    void outcome.then((result) => {
      this.#running--
      this.#proceed(key, lane, result)
    })
  }

  /** Goes on with a lane whose item has just ended, still in its slot. */
  #proceed(key: string, lane: Lane<Item>, ended: LaneOutcome): void {
    if (ended === 'held' || lane.queue.length === 0) this.#leave(key, lane, ended)
    else if (this.#options.slots.areWanted) this.#giveWay(key, lane)
    else this.#runQueued(key, lane)
  }

  /** Runs items in the lane's slot, until one does not end at once or somebody else wants the slot. */
  #runQueued(key: string, lane: Lane<Item>): void {
    for (;;) {
      const item = lane.queue.shift()
      // None is left when the lanes were stopped meanwhile.
      const outcome = item === undefined ? 'finished' : this.#options.run(item)
      if (outcome instanceof Promise) {
        this.#follow(key, lane, outcome)
        return
      }
      if (outcome === 'held' || lane.queue.length === 0) {
        this.#leave(key, lane, outcome)
        return
      }
      if (this.#options.slots.areWanted) {
        this.#giveWay(key, lane)
        return
      }
    }
  }

  /** Ends a lane, or holds its key back, and releases its slot. */
  #leave(key: string, lane: Lane<Item>, ended: LaneOutcome): void {
    if (ended === 'held') {
      lane.held = true
      lane.queue.length = 0
    } else this.#lanes.delete(key)
    this.#options.slots.release()
    this.#settleIdle()
  }

  #waitForSlot(key: string, lane: Lane<Item>): void {
    this.#waiting++
    this.#options.slots.take(() => this.#arrive(key, lane))
  }

  #giveWay(key: string, lane: Lane<Item>): void {
    this.#waiting++
    this.#options.slots.giveWay(() => this.#arrive(key, lane))
  }

  /** Runs in the slot that was waited for; to give way again now would be to wait for ever. */
  #arrive(key: string, lane: Lane<Item>): void {
    this.#waiting--
    this.#runQueued(key, lane)
  }

  #settleIdle(): void {
    if (!this.isIdle) return
    const callbacks = this.#whenIdle
    this.#whenIdle = []
    for (const callback of callbacks) callback()
  }
}
