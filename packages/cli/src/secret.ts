import { inspect } from 'node:util'
import { exitCodes } from './command.ts'
import { CommandError } from './command-error.ts'

/** A word that is never printed, whatever prints it. Where it comes from is known at once; that it is there, only when it is used. */
export class Secret {
  readonly #reveal: () => string

  private constructor(reveal: () => string) {
    this.#reveal = reveal
  }

  static of(value: string): Secret {
    return new Secret(() => value)
  }

  /** The value of an environment variable. @param namedBy the setting that names it, for the message when it is not set */
  static fromEnv(env: Readonly<Record<string, string | undefined>>, name: string, namedBy: string): Secret {
    return new Secret(() => {
      const value = env[name]
      if (value !== undefined && value !== '') return value
      throw new CommandError(`${namedBy} names the environment variable ${name}, and it is not set`, {
        exitCode: exitCodes.usage,
        next: `export ${name}=…`,
      })
    })
  }

  /** @throws CommandError when the environment variable it comes from is not set */
  reveal(): string {
    return this.#reveal()
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [inspect.custom](): string {
    return '***'
  }
}
