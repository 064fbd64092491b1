import type { ErrorCode } from '@evtkit/sdk'
import { type ExitCode, exitCodes } from './command.ts'
import { CommandError } from './command-error.ts'
import { withoutSecrets } from './printable.ts'

/** What a person needs to hear when a command fails. */
export interface Explanation {
  readonly what: string
  /** The reasons below it, the outermost first. */
  readonly why: readonly string[]
  readonly next: string | undefined
  /** Stable, where the error has one. */
  readonly code: string | undefined
  readonly exitCode: ExitCode
}

/** What to do about each of the SDK's errors, where its message does not say so in terms of `evt`. */
const nextOf: Readonly<Record<ErrorCode, string>> = {
  EVT_INVALID_DEFINITION: 'correct the definition that the message names',
  EVT_INVALID_CONFIGURATION: 'correct the option or setting that the message names; evt <command> --help lists them',
  EVT_INVALID_EVENT: 'correct the data; evt schema show <event> prints what is expected',
  EVT_UNDECODABLE_RECORD: 'look at the bytes of the record; it may come from a producer that uses another codec',
  EVT_UNKNOWN_EVENT: 'evt schema list shows the events that are known; evt generate writes their definitions',
  EVT_INVALID_RECORD: 'compare the record with evt schema show <event>',
  EVT_UNKNOWN_SCHEMA: 'check that --registry names the registry that the producer uses: evt doctor',
  EVT_SEND_FAILED: 'evt doctor checks the broker and the topics',
  EVT_RECORD_TOO_LARGE: 'make the record smaller, or raise max.message.bytes of the topic',
  EVT_RECORD_REFUSED: 'correct what the broker does not take; the message names it',
  EVT_UNKNOWN_TOPIC: 'evt topics apply creates the topics of the contracts; evt topics list shows those that exist',
  EVT_TOPIC_MISMATCH: 'evt topics plan shows the difference; evt topics apply mends it',
  EVT_STALE_TOPIC_PLAN: 'evt topics plan makes a new plan',
  EVT_SEND_TIMEOUT: 'evt doctor checks the broker',
  EVT_HELD_BACK: 'mend what failed before it, then try again',
  EVT_BROKER_UNAVAILABLE: 'check --brokers (EVT_BROKERS) and evt doctor; evt dev up starts a broker on this computer',
  EVT_BROKER_REFUSED: 'check the rights of this user, and kafka.sasl and kafka.ssl in the config file',
  EVT_HISTORY_GAP: "decide what to do with the gap, then set the group's offset",
  EVT_UNREADABLE_BATCH: 'the message says where it is and what to install; register the codec and restart',
  EVT_REGISTRY_UNAVAILABLE: 'check --registry (EVT_REGISTRY) and evt doctor; evt dev up starts one on this computer',
  EVT_REGISTRY_REFUSED: 'evt schema check explains what is incompatible; evt doctor checks the registry',
  EVT_SCHEMA_NOT_REGISTERED: 'evt schema push registers the schemas of the contracts',
  EVT_INVALID_SCHEMA: 'correct the schema that the message names',
  EVT_INVALID_CONTRACT: 'correct the files that the message names',
  EVT_DATABASE_UNAVAILABLE: 'check --database (EVT_DATABASE) and evt doctor; evt dev up starts one on this computer',
  EVT_DEPENDENCY_UNAVAILABLE: 'wait for the part that the message names, or mend it',
  EVT_SCHEMA_NOT_MIGRATED: 'run the migrations of the service, then evt doctor',
  EVT_NOT_A_TRANSACTION: 'pass an open transaction',
  EVT_HANDLER_DEADLINE: 'try again; if it happens again, find out what the handler waits for',
  EVT_CLOSE_DEADLINE: 'try again',
  EVT_CLOSED: 'try again',
}

const nextOfSystem: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: check the address, or evt dev up',
  ECONNRESET: 'the other side hung up: check the address and whether it wants TLS',
  ENOTFOUND: 'no such host: check the address',
  EAI_AGAIN: 'the name could not be looked up: check the address and the network',
  ETIMEDOUT: 'no answer: check the address and the firewall',
  ENOENT: 'check the path',
  EACCES: 'check the rights of the file or folder',
  EPERM: 'check the rights of the file or folder',
  EEXIST: 'choose another path, or remove what is there',
  ENOSPC: 'make room on the disk',
}

/** Says what happened, why, and what to do next; for people and programs alike, so without passwords. */
export function explainError(error: unknown): Explanation {
  const code = codeOf(error)
  const next = nextFor(error)
  return {
    what: withoutSecrets(what(error)),
    why: reasons(error).map(withoutSecrets),
    next: next === undefined ? undefined : withoutSecrets(next),
    code,
    exitCode: exitCodeOf(error, code),
  }
}

function exitCodeOf(error: unknown, code: string | undefined): ExitCode {
  if (error instanceof CommandError) return error.exitCode
  // What a command was told to do its work with is wrong: a setting, or a name that there is not.
  return code === 'EVT_INVALID_CONFIGURATION' ? exitCodes.usage : exitCodes.failed
}

function nextFor(error: unknown): string | undefined {
  if (error instanceof CommandError && error.next !== undefined) return error.next
  const missing = missingPackage(error)
  if (missing !== undefined) return `npm install ${missing}`
  for (const cause of chain(error)) {
    const code = codeOf(cause)
    if (code === undefined) continue
    if (isErrorCode(code)) return nextOf[code]
    const next = nextOfSystem[code]
    if (next !== undefined) return next
  }
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    return 'this looks like a mistake in evt itself; run it again with EVT_DEBUG=1 and report what it prints'
  return error instanceof CommandError ? undefined : 'run it again with EVT_DEBUG=1 to see where it comes from'
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(nextOf, code)

function what(error: unknown): string {
  const missing = missingPackage(error)
  if (missing !== undefined) return `this command needs the package ${missing}, and it is not installed`
  return messageOf(error)
}

function reasons(error: unknown): string[] {
  const said = what(error)
  const found: string[] = []
  for (const cause of [...chain(error)].slice(1)) {
    const message = messageOf(cause)
    if (message !== '' && !said.includes(message) && !found.some((other) => other.includes(message)))
      found.push(message)
  }
  return found
}

/** The error and its causes; ends though they may go round. */
function* chain(error: unknown): Generator<unknown> {
  const seen = new Set<unknown>()
  for (let at = error; at !== undefined && at !== null && !seen.has(at); ) {
    seen.add(at)
    yield at
    const [first] = at instanceof AggregateError ? at.errors : []
    at = typeof at === 'object' && 'cause' in at && at.cause !== undefined ? at.cause : first
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors
      .map(messageOf)
      .filter((message) => message !== '')
      .join('; ')
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message)
  return String(error)
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** The name of a package that an `import()` did not find. */
function missingPackage(error: unknown): string | undefined {
  if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND' && codeOf(error) !== 'MODULE_NOT_FOUND') return undefined
  const name = /Cannot find (?:package|module) '((?:@[\w.-]+\/)?[\w.-]+)/.exec(messageOf(error))?.[1]
  return name === undefined || name.startsWith('.') ? undefined : name
}
