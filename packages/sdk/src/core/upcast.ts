import type { Envelope } from './envelope.ts'
import { InvalidDefinitionError, InvalidRecordError } from './errors.ts'
import type { EventDefinition, Upcaster } from './event.ts'

/**
 * The same event, which also reads records of an older version: whoever handles it gets those as the new one. Chains,
 * when the older version reads one that is older still. What `convert` gives is validated, so the schema fills in what it
 * leaves out.
 *
 * @example
 * const PaymentFailed = upcast(PaymentFailedV2, PaymentFailedV1, (old) => ({ ...old, reason: reasonOf(old.code) }))
 *
 * @throws InvalidDefinitionError when the two are not versions of one event, the older first, on one topic.
 */
export function upcast<Type extends string, Data, Input, Old, const Converted extends Constant<Input>>(
  event: EventDefinition<Type, Data, Input>,
  from: EventDefinition<Type, Old, never>,
  convert: (data: Old, envelope: Envelope<Type, Old>) => Converted,
): EventDefinition<Type, Data, Input> {
  const names = `${event.type} ${event.version} from ${from.type} ${from.version}`
  if (event.type !== from.type || event.topic.name !== from.topic.name)
    throw new InvalidDefinitionError(`${names}: an upcaster connects two versions of one event on one topic`)
  if (versionNumber(from.version) >= versionNumber(event.version))
    throw new InvalidDefinitionError(`${names}: an upcaster makes the newer version from the older one`)
  if (event.upcasters?.some((known) => known.from.version === from.version))
    throw new InvalidDefinitionError(`${names}: there already is an upcaster from ${from.version}`)
  const upcaster: Upcaster = {
    from,
    // Safe: only called with data that the older version's own schema has validated, in an envelope of its type.
    upcast: (data, envelope) => convert(data as Old, { ...envelope, data } as Envelope<Type, Old>),
  }
  return Object.freeze({ ...event, upcasters: [...(event.upcasters ?? []), upcaster] })
}

/** The same, but that its lists may be constant: so the compiler takes what is written in an upcaster word for word. */
type Constant<Data> = Data extends readonly (infer Item)[]
  ? readonly Constant<Item>[]
  : Data extends Date | Uint8Array
    ? Data
    : Data extends object
      ? { [Field in keyof Data]: Constant<Data[Field]> }
      : Data

/** One version made from the one before it. */
export interface UpcastStep {
  readonly into: EventDefinition
  /** @throws InvalidRecordError when the upcaster does. */
  apply(envelope: Envelope): Envelope
}

/** How each version that an event reads, its own among them, becomes the event's version. */
export function upcastPaths(
  event: EventDefinition,
): { readonly from: EventDefinition; readonly steps: readonly UpcastStep[] }[] {
  const older = (event.upcasters ?? []).flatMap((upcaster) =>
    upcastPaths(upcaster.from).map(({ from, steps }) => ({ from, steps: [...steps, stepOf(event, upcaster)] })),
  )
  return [{ from: event, steps: [] }, ...older]
}

function stepOf(into: EventDefinition, { from, upcast }: Upcaster): UpcastStep {
  return {
    into,
    apply(envelope) {
      try {
        return { ...envelope, eventVersion: into.version, data: upcast(envelope.data, envelope) }
      } catch (cause) {
        // It gave up on data that is valid for its version; the next attempt would give it the same.
        const message = `the upcaster from ${from.version} to ${into.version} threw: ${cause instanceof Error ? cause.message : cause}`
        throw new InvalidRecordError(`${into.type} ${from.version}`, [{ path: '', message }], { cause })
      }
    },
  }
}

/** An event and every older version it reads, the newest first. */
export function versionsOf(event: EventDefinition): EventDefinition[] {
  return [event, ...(event.upcasters ?? []).flatMap(({ from }) => versionsOf(from))]
}

function versionNumber(version: string): number {
  return Number(version.slice(1))
}
