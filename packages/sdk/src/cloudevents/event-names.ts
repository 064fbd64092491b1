import { InvalidConfigurationError } from '../core/errors.ts'

/** One of our events, as it is named by a CloudEvents `type`. */
export interface EventName {
  readonly type: string
  /** @default what the event says itself, or else v1 */
  readonly version?: string
}

export interface EventNamesOptions {
  /**
   * Put in front of the names of our events, and taken off again, such as `com.example.`: `OrderCreated` is
   * `com.example.OrderCreated` on the wire.
   *
   * @default ''
   */
  readonly typePrefix?: string
  /**
   * Names that do not follow the prefix, by CloudEvents `type`: our type, or our type and version. Both ways; where
   * several stand for one event, the first is written.
   *
   * @example { 'com.partner.parcel.handed-over.v2': { type: 'ParcelHandedOver', version: 'v2' } }
   */
  readonly types?: Readonly<Record<string, string | EventName>>
}

/** Between the `type` of CloudEvents and the type and version of our events. */
export interface EventNames {
  toCloudEvents(type: string, version: string): string
  /** A type that nothing is said about stays as it is, so that the error of a consumer that lacks it names it in full. */
  fromCloudEvents(type: string): EventName
}

/** @throws InvalidConfigurationError when a name stands for nothing. */
export function eventNames({ typePrefix = '', types = {} }: EventNamesOptions): EventNames {
  const ours = new Map<string, EventName>()
  const theirs = new Map<string, string>()
  for (const [name, event] of Object.entries(types)) {
    const { type, version } = typeof event === 'string' ? { type: event } : event
    if (name === '' || type === '')
      throw new InvalidConfigurationError(
        `types maps ${JSON.stringify(name)} to ${JSON.stringify(type)}; neither may be empty`,
      )
    ours.set(name, version === undefined ? { type } : { type, version })
    const key = nameKey(type, version)
    if (!theirs.has(key)) theirs.set(key, name)
  }
  return {
    toCloudEvents: (type, version) =>
      theirs.get(nameKey(type, version)) ?? theirs.get(nameKey(type, undefined)) ?? typePrefix + type,
    fromCloudEvents(type) {
      const known = ours.get(type)
      if (known !== undefined) return known
      const ownPart = type.length > typePrefix.length && type.startsWith(typePrefix)
      return { type: ownPart ? type.slice(typePrefix.length) : type }
    },
  }
}

function nameKey(type: string, version: string | undefined): string {
  return `${type} ${version ?? ''}`
}
