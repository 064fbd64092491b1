import { parseArgs } from 'node:util'

/** What the command line asks of the demo. */
export interface DemoArguments {
  readonly orders: number
  /** Stay up afterwards, for curl. */
  readonly serve: boolean
  /** End with one JSON object. */
  readonly json: boolean
  /** The gateway's port; 0 for a free one. */
  readonly port: number
  readonly help: boolean
}

export const usage = `npm run demo -- [options]

  --orders N   how many orders to post           (default 12)
  --serve      stay up afterwards and print example commands
  --port N     the gateway's port                (default a free one)
  --json       end with one line of JSON
`

/** The most orders one run takes: everything is kept in memory. */
const maxOrders = 20_000

/** @throws Error which says what was expected. */
export function readArguments(args: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      orders: { type: 'string', default: '12' },
      port: { type: 'string', default: '0' },
      serve: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { serve, json, help } = values
  return {
    orders: wholeNumber('--orders', values.orders, 1, maxOrders),
    port: wholeNumber('--port', values.port, 0, 65_535),
    serve,
    json,
    help,
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new Error(`${name} takes a whole number from ${min} to ${max}, got "${text}"`)
}
