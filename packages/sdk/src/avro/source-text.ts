/**
 * Source text of functions that are made for one schema. Every name of a schema goes in as a JSON string and everything else as a
 * constant from outside, so that no schema, wherever it comes from, can say what is run.
 */
export class SourceText {
  readonly #functions: string[] = []
  readonly #constants: unknown[] = []
  #names = 0

  /** A name that nothing else has. */
  name(): string {
    return `v${this.#names++}`
  }

  /** The name of a value that is given to the code as it is. */
  constant(value: unknown): string {
    this.#constants.push(value)
    return `k[${this.#constants.length - 1}]`
  }

  define(functionText: string): void {
    this.#functions.push(functionText)
  }

  /** Gives what an expression over the functions and constants is. */
  evaluate(expression: string): unknown {
    const body = `'use strict'\n${this.#functions.join('\n')}\nreturn ${expression}`
    return new Function('k', body)(this.#constants)
  }
}

/** A name as a property in an object literal. */
export function literalName(name: string): string {
  // In brackets, or a literal would take it for the prototype.
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)
}
