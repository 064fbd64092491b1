/** Where the listeners of the one Kafka process are. */
export interface KafkaPorts {
  readonly broker: number
  readonly controller: number
  /** A second broker listener, reached through a proxy whose port is the one that clients are told. */
  readonly proxied?: { readonly listen: number; readonly advertised: number } | undefined
}

/** The text of `server.properties` for one node that is broker and controller, on the loopback interface only. */
export function kafkaSettings(
  dataDir: string,
  ports: KafkaPorts,
  overrides: Readonly<Record<string, string>> = {},
): string {
  const { proxied } = ports
  const settings: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: [
      `PLAINTEXT://127.0.0.1:${ports.broker}`,
      `CONTROLLER://127.0.0.1:${ports.controller}`,
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.listen}`] : []),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${ports.broker}`,
      ...(proxied ? [`PROXIED://127.0.0.1:${proxied.advertised}`] : []),
    ].join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDir,

    // One node cannot replicate; with the defaults of 3 the internal topics are never made and groups hang.
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',

    // Fifty partitions of internal topics cost seconds of the first start and give one node nothing.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.num.partitions': '2',

    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',

    // After SIGKILL the controller waits until the old session ends before it lets the broker in again: 12 s by default.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',

    // A topic that is deleted frees its files soon, and the first sweep for old segments does not wait five minutes.
    'file.delete.delay.ms': '1000',
    ...overrides,
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
