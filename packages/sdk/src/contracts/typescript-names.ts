import type { AvroNamed } from '../avro/avro-schema.ts'
import type { Contracts, EventContract } from './contracts.ts'
import { recordsWithLeftOutFields } from './left-out-fields.ts'
import { typesIn } from './schema-files.ts'

/** Names a declaration may not have: TypeScript's own, and those that generated code uses. */
const reserved = new Set(
  `abstract any as async await bigint boolean break case catch class const constructor continue debugger declare default
   delete do else enum eval export extends false finally for from function get if implements import in infer instanceof
   interface is keyof let module namespace never new null number object of package private protected public readonly
   require return satisfies set static string super switch symbol this throw true try type typeof undefined unique
   unknown using var void while with yield arguments
   Array Buffer Date Object Readonly Record String allEvents allTopics avroSchema defineEvent defineTopic`.split(/\s+/),
)

/** The names and places that generated code gives to what the contracts hold. The same for the same contracts. */
export class TypeScriptNames {
  readonly #taken = new Set(reserved)
  readonly #topics = new Map<string, string>()
  readonly #definitions = new Map<EventContract, string>()
  /** By full name of the type. */
  readonly #types = new Map<string, string>()
  /** The same for what a publisher gives, where that is a type of its own. */
  readonly #inputs = new Map<string, string>()
  readonly #places = new Map<string, string>()

  constructor({ topics, events }: Contracts) {
    const latest = new Map(events.map((event) => [event.type, event]))
    const isLatest = (event: EventContract) => latest.get(event.type) === event
    // Events come first, since theirs are the names that people know; the newest version has the plain one.
    for (const event of [...events].sort((a, b) => Number(isLatest(b)) - Number(isLatest(a)))) {
      const name = this.#take([isLatest(event) ? event.type : event.type + event.version.toUpperCase()])
      this.#definitions.set(event, name)
      this.#types.set(event.data.name, this.#take([`${name}Data`]))
      this.#places.set(event.data.name, eventPlace(event))
    }
    for (const { name } of topics) this.#topics.set(name, this.#take([pascalCase(name), `${pascalCase(name)}Topic`]))
    this.#nameTypes(events)
    // Last of all: a field with a default that comes or goes must not give other things other names.
    for (const { name } of recordsWithLeftOutFields(events.flatMap(({ data }) => typesIn(data))))
      if (!this.#inputs.has(name)) this.#inputs.set(name, this.#take([inputName(known(this.#types, name))]))
  }

  topic(name: string): string {
    return known(this.#topics, name)
  }

  definition(event: EventContract): string {
    return known(this.#definitions, event)
  }

  type(schema: AvroNamed): string {
    return known(this.#types, schema.name)
  }

  /** The type of what a publisher gives; `undefined` where it is what a reader is given. */
  input(schema: AvroNamed): string | undefined {
    return this.#inputs.get(schema.name)
  }

  /** Path of the file that declares a type. */
  place(schema: AvroNamed): string {
    return known(this.#places, schema.name)
  }

  #nameTypes(events: readonly EventContract[]): void {
    const homes = new Map<string, EventContract>()
    for (const event of events)
      for (const type of typesIn(event.data)) if (!homes.has(type.name)) homes.set(type.name, event)
    const nested = [...homes.keys()].filter((name) => !this.#types.has(name)).sort()
    for (const fullName of nested) {
      const { simple, version } = partsOf(fullName)
      const home = homes.get(fullName)
      if (home !== undefined)
        this.#places.set(fullName, version === undefined ? sharedPlace(fullName) : eventPlace(home))
      const alike = nested.filter((other) => partsOf(other).simple === simple)
      this.#types.set(fullName, this.#take(candidates(fullName, alike)))
    }
  }

  /** The first of the names that is free; when none is, the last one made free. */
  #take(names: readonly string[]): string {
    let name = names.find((candidate) => !this.#taken.has(candidate)) ?? `${names.at(-1)}_`
    while (this.#taken.has(name)) name += '_'
    this.#taken.add(name)
    return name
  }
}

/** `OrderCreatedInput` for `OrderCreatedData`, `AddressInput` for `Address`. */
function inputName(type: string): string {
  return `${type.replace(/Data(?=_*$)/, '')}Input`
}

/** `OrderEvents` for `order-events`. */
function pascalCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Za-z]/.test(joined) ? joined : `Topic${joined}`
}

/** `order-created` for `OrderCreated`. */
function kebabCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase()
}

function eventPlace({ domain, type, version }: EventContract): string {
  return `${domain}/${kebabCase(type)}.${version}.ts`
}

function sharedPlace(fullName: string): string {
  const { simple, domain } = partsOf(fullName)
  return `${domain === '' ? '' : `${kebabCase(domain)}/`}${kebabCase(simple)}.ts`
}

/** `shop.orders.v1.Reason`: Reason, of orders, of version 1. */
function partsOf(fullName: string): { simple: string; domain: string; version: number | undefined } {
  const steps = fullName.split('.')
  const simple = steps.at(-1) ?? fullName
  const version = /^v([1-9][0-9]*)$/.exec(steps.at(-2) ?? '')?.[1]
  const domain = steps.at(version === undefined ? -2 : -3) ?? ''
  return {
    simple,
    domain: steps.length === 1 ? '' : domain,
    version: version === undefined ? undefined : Number(version),
  }
}

/** The plain name where no other type has it; the domain before it where another domain has, the version behind it for older ones. */
function candidates(fullName: string, alike: readonly string[]): readonly string[] {
  const { simple, domain, version } = partsOf(fullName)
  const others = alike.filter((other) => other !== fullName).map(partsOf)
  const inDomain = others.some((other) => other.domain !== domain) ? pascalCase(domain) + simple : simple
  const isOlder = others.some((other) => other.domain === domain && (other.version ?? 0) > (version ?? 0))
  const name = isOlder ? `${inDomain}V${version ?? 0}` : inDomain
  return [name, pascalCase(domain) + pascalCase(simple), pascalCase(fullName)]
}

function known<Key>(names: ReadonlyMap<Key, string>, key: Key): string {
  const name = names.get(key)
  if (name === undefined) throw new Error(`no name was given to ${String(key)}`)
  return name
}
