/** One client's connection through a proxy, to be treated unlike the others. */
export interface ProxyLink {
  /** Counts the connections of the proxy, from 1. */
  readonly id: number
  /** The port that the client has on this computer. */
  readonly clientPort: number
  /** Whether it still stands, for the client at least. */
  readonly isOpen: boolean
  /** Nothing passes in either direction for good, and neither side is told. */
  halfOpen(): void
  /** Both sides see a reset. */
  reset(): void
  /** Both sides see the connection end. */
  close(): void
}
