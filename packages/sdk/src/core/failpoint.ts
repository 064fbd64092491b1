/** Named steps at which a test can make a process crash, hang or fail, through the environment. */
import { InvalidConfigurationError } from './errors.ts'

/**
 * Every step that can be told to fail, each right after what its name says has happened. A step is added here and by a call
 * of {@link failpoint} in its place.
 */
export const failpointNames = [
  // Rows were read from the outbox and are about to be sent.
  'relay.claimed',
  // The broker acknowledged them; they are still in the outbox.
  'relay.sent',
  // They are gone from the outbox.
  'relay.deleted',
  // The event is written down in the open transaction; its handler was not called yet.
  'inbox.noted',
  // The handler has returned; the transaction is still open.
  'inbox.handled',
  // The transaction is committed; the consumer does not know yet, and the offset was not moved.
  'inbox.committed',
  // A failed event is parked; the consumer does not know yet, and the offset was not moved.
  'parking.took',
  // An event is parked behind the others of its key, likewise.
  'parking.followed',
  // Keys that are due were claimed; none of their events was handed over yet.
  'parking.claimed',
  // A parked event was handled; it is still in its queue.
  'parking.handled',
  // It is gone from its queue.
  'parking.finished',
  // An event was given up and is stored as a dead letter; the offset, if it is about one, was not moved.
  'deadLetters.stored',
  // The plan of a redrive is made; nothing was changed.
  'redrive.planned',
  // Dead letters were put back into their queues; the record of who did it is committed with them.
  'redrive.released',
  // A failed event is in the next retry topic of its group; the offset it came from was not moved.
  'retry.written',
  // Dead letters of a topic are in the first retry topic again; nothing says so yet.
  'retry.redriven',
] as const

export type FailpointName = (typeof failpointNames)[number]

/** What a failpoint set to `error` throws. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError'
  readonly failpoint: FailpointName

  constructor(failpoint: FailpointName) {
    super(`failed at ${failpoint}, as EVTKIT_FAILPOINTS asks`)
    this.failpoint = failpoint
  }
}

const actions = ['crash', 'hang', 'error'] as const
type Action = (typeof actions)[number]

interface Rule {
  readonly action: Action
  /** At which passing it acts, counted from 1; `undefined` for at every one. */
  readonly at: number | undefined
}

/** What failpoints do to the world around them. */
export interface FailpointEffects {
  /** Ends this process at once, as a power cut would. */
  crash(): void
  warn(message: string): void
}

/** The failpoints of one process that are set. */
export class Failpoints {
  readonly #rules: ReadonlyMap<FailpointName, readonly Rule[]>
  readonly #effects: FailpointEffects
  readonly #passed = new Map<FailpointName, number>()
  readonly #text: string
  #warned = false

  /**
   * @param text as in the variable `EVTKIT_FAILPOINTS`
   * @throws InvalidConfigurationError when the text is no list of failpoints
   */
  constructor(text: string, effects: FailpointEffects) {
    this.#text = text
    this.#rules = parse(text)
    this.#effects = effects
  }

  pass(name: FailpointName): void | Promise<void> {
    this.#warn()
    const rules = this.#rules.get(name)
    if (rules === undefined) return
    const times = (this.#passed.get(name) ?? 0) + 1
    this.#passed.set(name, times)
    const rule = rules.find(({ at }) => at === undefined || at === times)
    if (rule === undefined) return
    if (rule.action === 'error') throw new FailpointError(name)
    if (rule.action === 'crash') this.#effects.crash()
    // Nothing comes after a crash either.
    return new Promise<void>(() => {})
  }

  #warn(): void {
    if (this.#warned) return
    this.#warned = true
    this.#effects.warn(
      `EVTKIT_FAILPOINTS is set (${this.#text}): this process crashes, hangs or fails on purpose; unset it anywhere but in a test`,
    )
  }
}

function parse(text: string): ReadonlyMap<FailpointName, readonly Rule[]> {
  const rules = new Map<FailpointName, Rule[]>()
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [, name = '', action = '', times] = /^([^=]*)=([^@]*)(?:@(.*))?$/.exec(entry) ?? []
    if (!isName(name)) refuse(entry, `a step before the =, one of ${failpointNames.join(', ')}`)
    if (!isAction(action)) refuse(entry, `an action after the =, one of ${actions.join(', ')}`)
    if (times !== undefined && !/^[1-9][0-9]{0,8}$/.test(times)) refuse(entry, 'a whole number from 1 up after the @')
    // A process crashes only once.
    const at = times === undefined ? (action === 'crash' ? 1 : undefined) : Number(times)
    rules.set(name, [...(rules.get(name) ?? []), { action, at }])
  }
  return rules
}

function isName(name: string): name is FailpointName {
  // Safe: a list of any strings can be asked whether it holds this one.
  return (failpointNames as readonly string[]).includes(name)
}

function isAction(action: string): action is Action {
  // Safe: as above.
  return (actions as readonly string[]).includes(action)
}

function refuse(entry: string, expected: string): never {
  throw new InvalidConfigurationError(
    `EVTKIT_FAILPOINTS must be a list such as relay.sent=crash@3,inbox.noted=hang; "${entry}" needs ${expected}`,
  )
}

const variable = process.env.EVTKIT_FAILPOINTS

// Read once: without the variable, passing a step costs a comparison.
const active =
  variable === undefined || variable === ''
    ? undefined
    : new Failpoints(variable, {
        crash: () => process.kill(process.pid, 'SIGKILL'),
        warn: (message) => console.warn(`[evtkit] ${message}`),
      })

/**
 * Passes a named step: does nothing, unless the environment variable `EVTKIT_FAILPOINTS` asks for a failure there.
 *
 * The variable is a list such as `relay.sent=crash@3,inbox.committed=hang`: `crash` ends the process with SIGKILL, `hang` never
 * goes on, `error` throws a {@link FailpointError}. `@n` means at the n-th passing alone; without it a crash comes at the first
 * and the others at every one. A variable that cannot be read is refused when the SDK is loaded.
 */
export function failpoint(name: FailpointName): void | Promise<void> {
  if (active !== undefined) return active.pass(name)
}
