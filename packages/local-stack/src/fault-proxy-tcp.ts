import type { Dialect } from './proxy-dialect.ts'
import { type FaultProxyOptions, listening, ProxyServer, type TcpFaultProxy } from './proxy-server.ts'

/** Bytes without a meaning: no fault can choose among them. */
const bytesOnly: Dialect<never> = { read: (_direction, bytes) => [{ bytes, subject: undefined }] }

/**
 * Puts a proxy in front of any server that speaks over TCP: it can be slow, silent, cut off or away, and knows nothing of
 * what is said. It runs in this process.
 *
 * @example
 * const proxy = await createTcpFaultProxy({ target: { host: '127.0.0.1', port: 8081 } })
 * proxy.slow({ latencyMs: 200 })
 */
export async function createTcpFaultProxy(options: FaultProxyOptions): Promise<TcpFaultProxy> {
  return listening(options, (port) => new ProxyServer<never>(port, options.target, () => bytesOnly))
}
