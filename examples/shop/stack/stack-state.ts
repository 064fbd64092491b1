import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { type PartName, partNames } from './part.ts'

const port = z.int().min(1).max(65_535)

const processSchema = z.object({
  pid: z.int().positive(),
  /** When the process started, in the words of the operating system: with the process id it names one process for ever. */
  started: z.string(),
  startedAt: z.iso.datetime(),
})

const partSchema = z.object({
  port,
  /** Only the mail sink has it: where it takes mail. */
  smtpPort: port.optional(),
  /** Absent before the first start and after an orderly stop. */
  process: processSchema.optional(),
  /** Starts after the first one since `up`. */
  restarts: z.int().nonnegative(),
})

const serverSchema = z.object({
  /** `external` was named by the environment and is left as it is; the others are ours to stop. */
  origin: z.enum(['process', 'compose', 'external']),
  /** Whether it was running, as far as the stack knows: it may have died since. */
  running: z.boolean(),
  address: z.string(),
  port: port.optional(),
  restarts: z.int().nonnegative(),
})

const stateSchema = z.object({
  version: z.literal(1),
  kafka: serverSchema.optional(),
  postgres: serverSchema.optional(),
  registry: serverSchema.optional(),
  /** What facts are written as; absent before the first start. */
  codec: z.enum(['json', 'avro']).optional(),
  parts: z.partialRecord(z.enum(partNames), partSchema),
})

export type ProcessState = z.infer<typeof processSchema>
export type PartState = z.infer<typeof partSchema>
export type ServerState = z.infer<typeof serverSchema>
/** What a stack remembers between two commands. */
export type StackState = z.infer<typeof stateSchema>

export const emptyState: StackState = { version: 1, parts: {} }

/** The remembered state; with `problem` when a file is there that cannot be understood. */
export function readState(file: string): { readonly state: StackState; readonly problem?: string } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { state: emptyState }
    throw error
  }
  try {
    return { state: stateSchema.parse(JSON.parse(text)) }
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    return { state: emptyState, problem: `${file} cannot be understood and is not used: ${detail}` }
  }
}

/** The state of one stack, written through to its file with each change: a reader sees the old or the new, never half of it. */
export class StateFile {
  readonly problem: string | undefined
  readonly #file: string
  #state: StackState

  constructor(file: string) {
    const { state, problem } = readState(file)
    this.#file = file
    this.#state = state
    this.problem = problem
  }

  get state(): StackState {
    return this.#state
  }

  part(name: PartName): PartState | undefined {
    return this.#state.parts[name]
  }

  change(change: Partial<Omit<StackState, 'version'>>): void {
    this.#state = { ...this.#state, ...change }
    // Synchronous on purpose: a process id must be on disk before anything else can happen to this process.
    mkdirSync(dirname(this.#file), { recursive: true })
    const draft = `${this.#file}.${process.pid}.new`
    writeFileSync(draft, `${JSON.stringify(this.#state, null, 2)}\n`, { flush: true })
    renameSync(draft, this.#file)
  }

  changePart(name: PartName, part: PartState): void {
    this.change({ parts: { ...this.#state.parts, [name]: part } })
  }
}
