import { type Evidence, type LoggedRecord, placeOf } from './evidence.ts'
import type { Finding, FindingKind } from './finding.ts'
import type { Ledger } from './ledger.ts'

/** Events of one topic and key whose order is promised: each comes after the ones before it. */
const sequences: readonly (readonly string[])[] = [
  ['OrderCreated', 'OrderConfirmed', 'OrderShipped'],
  ['OrderCreated', 'OrderCancelled'],
  ['InventoryReserved', 'InventoryReleased'],
]

/** Whether the log holds what it should: copies of an event alike, a key in one partition, and first copies in order. */
export function checkLog({ records, carts }: Evidence, ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  const add = (kind: FindingKind, { topic, key, timestamp }: LoggedRecord, message: string) =>
    findings.push({ kind, about: `${topic} of ${key}`, message, scenario: ledger.scenarioAt(timestamp) })
  const injected = new Set(ledger.of('injected').map(placeOf))
  const truncated = new Set(ledger.of('truncated').map(({ topic, partition }) => `${topic}/${partition}`))
  // The broker may have removed the files of such a partition up to there, and what had been read long before with them.
  const isCut = (record: LoggedRecord | undefined) => truncated.has(`${record?.topic}/${record?.partition}`)
  const first = new Map<string, LoggedRecord>()
  const places = new Map<string, LoggedRecord>()
  const firsts = new Map<string, LoggedRecord[]>()
  for (const record of records) {
    const { event } = record
    const copy = injected.has(placeOf(record))
    if (event === undefined || (copy && !first.has(event.eventId))) continue
    const earlier = first.get(event.eventId)
    if (earlier !== undefined && (earlier.value !== record.value || earlier.key !== record.key))
      add(
        'books',
        record,
        `event ${event.eventId} has copies that differ, at ${placeOf(earlier)} and ${placeOf(record)}`,
      )
    if (copy) continue
    const name = `${record.topic} ${record.key}`
    const known = places.get(name)
    if (known !== undefined && known.partition !== record.partition)
      add('out of order', record, `is in partitions ${known.partition} and ${record.partition}`)
    places.set(name, record)
    if (earlier !== undefined) continue
    first.set(event.eventId, record)
    firsts.set(name, [...(firsts.get(name) ?? []), record])
  }
  for (const [name, own] of firsts) {
    const types = own.map((record) => record.event?.eventType ?? '')
    for (const sequence of sequences)
      for (const [index, type] of sequence.entries()) {
        const position = types.indexOf(type)
        const later = sequence.slice(index + 1).find((next) => types.includes(next) && types.indexOf(next) < position)
        const record = own[position]
        if (record !== undefined && later !== undefined)
          add('out of order', record, `${later} is in the log before ${type}`)
      }
    if (name.startsWith('cart-events ')) checkPieces(own, isCut(own[0]), add)
  }
  const told = new Map<string, number>()
  const cut = new Set<string>()
  for (const record of first.values()) {
    const cart = readCart(record.event?.fact)
    if (cart === undefined) continue
    told.set(cart.cartId, (told.get(cart.cartId) ?? 0) + 1)
    if (isCut(record)) cut.add(cart.cartId)
  }
  for (const { cartId, pieces } of carts)
    if (told.get(cartId) !== pieces && !(cut.has(cartId) && (told.get(cartId) ?? 0) < pieces))
      findings.push({
        kind: (told.get(cartId) ?? 0) < pieces ? 'lost' : 'applied twice',
        about: cartId,
        message: `has ${pieces} pieces, and ${told.get(cartId) ?? 0} events tell of it`,
        scenario: undefined,
      })
  return findings
}

function checkPieces(
  own: readonly LoggedRecord[],
  cut: boolean,
  add: (kind: FindingKind, record: LoggedRecord, message: string) => void,
): void {
  let before = cut ? undefined : 0
  for (const record of own) {
    const pieces = readCart(record.event?.fact)?.pieces
    if (pieces === undefined) continue
    before ??= pieces - 1
    if (pieces !== before + 1) add('out of order', record, `${pieces} pieces are told of after ${before}`)
    before = pieces
  }
}

function readCart(fact: unknown): { readonly cartId: string; readonly pieces: number } | undefined {
  // Safe: read only as far as it is there.
  const data = (fact as { data?: { cartId?: unknown; lines?: { quantity?: unknown }[] } } | undefined)?.data
  const pieces = data?.lines?.[0]?.quantity
  return typeof data?.cartId === 'string' && typeof pieces === 'number' ? { cartId: data.cartId, pieces } : undefined
}
