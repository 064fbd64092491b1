import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ISocketFactoryArgs, Kafka, type KafkaConfig, type LogEntry, logLevel, type SASLOptions } from 'kafkajs'
import type { Logger } from '../core/logger.ts'
import type { KafkaOptions } from './kafka-options.ts'

const keepAliveMs = 60_000

export type KafkajsClientOptions = Required<
  Pick<
    KafkaOptions,
    'brokers' | 'clientId' | 'logger' | 'requestTimeoutMs' | 'connectionTimeoutMs' | 'metadataMaxAgeMs'
  >
> &
  Pick<KafkaOptions, 'ssl' | 'sasl'>

/**
 * One kafkajs client for one producer, consumer or admin, with its sockets in our hands: kafkajs waits without limit when
 * it disconnects, and its retries connect again after we have given up, so the only sure end is to take the sockets away.
 */
export class KafkajsClient {
  readonly kafka: Kafka
  readonly #logger: Logger
  readonly #sockets = new Set<Socket>()
  readonly #watch: ((entry: LogEntry) => void) | undefined
  #cut = false

  /**
   * @param retries how often kafkajs tries again to connect and to learn where things are: few by default, because most
   * callers have a retry of their own that knows its deadline
   */
  constructor(options: KafkajsClientOptions, retries = 2, watch?: (entry: LogEntry) => void) {
    this.#logger = options.logger
    this.#watch = watch
    const { brokers, clientId, ssl, sasl, requestTimeoutMs, connectionTimeoutMs } = options
    const config: KafkaConfig = {
      // An empty list is what ends its attempts to connect: kafkajs takes it for hopeless, and everything else for a mishap.
      brokers: () => (this.#cut ? [] : brokers.map(withoutColons)),
      clientId,
      requestTimeout: requestTimeoutMs,
      connectionTimeout: connectionTimeoutMs,
      authenticationTimeout: requestTimeoutMs,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries },
      socketFactory: (place) => this.#connect(place),
      logLevel: logLevel.INFO,
      logCreator: () => (entry) => this.#log(entry),
    }
    if (ssl !== undefined) config.ssl = ssl
    // One of the mechanisms kafkajs has, field by field; it types them as one object per mechanism.
    if (sasl !== undefined) config.sasl = sasl as SASLOptions
    this.kafka = new Kafka(config)
  }

  /** Ends every connection now and refuses new ones. */
  cut(): void {
    this.#cut = true
    // With an error, because kafkajs takes note of nothing else and would keep its timers.
    for (const socket of this.#sockets) socket.destroy(new Error('the connection was given up'))
  }

  #connect({ host: name, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
    if (this.#cut) throw new Error('this client was given up')
    const host = withColons(name)
    // kafkajs types it as always there and filled in; for plain connections it is null, and `true` asks for the defaults.
    const secure = ssl as ISocketFactoryArgs['ssl'] | true | null | undefined
    const socket = secure
      ? connectTls(
          { host, port, ...(isIP(host) ? {} : { servername: host }), ...(secure === true ? {} : secure) },
          onConnect,
        )
      : connectPlain({ host, port }, onConnect)
    socket.setKeepAlive(true, keepAliveMs)
    // kafkajs ends a connection again with each failure after the first, which adds a listener to a dead socket every time.
    socket.setMaxListeners(0)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** kafkajs calls much an error that it then repeats or that we report with its meaning, so all of it is detail. */
  #log(entry: LogEntry): void {
    this.#watch?.(entry)
    const { message, broker, clientId, groupId, topic, partition, error } = entry.log
    this.#logger.debug(
      { client: 'kafkajs', part: entry.namespace, broker, clientId, groupId, topic, partition, error },
      message,
    )
  }
}

/** kafkajs takes what stands before the first colon for the host, which is not much of an IPv6 address. */
function withoutColons(broker: string): string {
  return broker.replace(/^\[.*\]/, (host) => host.replaceAll(':', '_'))
}

function withColons(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1).replaceAll('_', ':') : host
}
