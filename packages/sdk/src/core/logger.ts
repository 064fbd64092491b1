/** What the SDK needs of a logger; pino's fits as it is. Fields never hold payloads. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Warnings and errors to standard error, one line each: the default, so that trouble is never silent. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn(fields, message) {
    console.warn(`[evtkit] ${message}`, fields)
  },
  error(fields, message) {
    console.error(`[evtkit] ${message}`, fields)
  },
}

/** Says nothing; for tests that look at results alone. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
