/** What went wrong, for code that wants to react to it. */
export type LocalStackErrorCode =
  | 'JAVA_MISSING'
  | 'MAVEN_MISSING'
  | 'DOWNLOAD_FAILED'
  | 'KAFKA_DOWNLOAD_FAILED'
  | 'POSTGRES_MISSING'
  | 'POSTGRES_USER_MISSING'
  | 'PORT_UNAVAILABLE'
  | 'SERVER_FAILED'
  | 'SERVER_NOT_RUNNING'
  | 'COMPOSE_FAILED'
  | 'DUMP_FAILED'

/** A server of the local stack could not be found, started, stopped or read; the message says what to do next. */
export class LocalStackError extends Error {
  readonly code: LocalStackErrorCode

  constructor(code: LocalStackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LocalStackError'
    this.code = code
  }
}
