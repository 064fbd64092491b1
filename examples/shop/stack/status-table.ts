import { relative } from 'node:path'
import type { Colors } from 'picocolors/types.js'
import type { Health } from './part-health.ts'
import type { MemberStatus } from './status.ts'

const headings = ['part', 'pid', 'port', 'health', 'restarts', 'log']

/** The status for people: one line for each member, in columns. */
export function statusTable(members: readonly MemberStatus[], colors: Colors, base: string): string {
  const rows = members.map(({ name, pid, port, health, restarts, logFile }) => ({
    cells: [
      name,
      pid === undefined || health.state === 'dead' ? '-' : String(pid),
      port === undefined ? '-' : String(port),
      healthInWords(health),
      String(restarts),
      logFile === undefined ? '-' : shorter(base, logFile),
    ],
    color: colorOf(health, colors),
  }))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[], paint: (text: string) => string = (text) => text) =>
    cells
      .map((cell, column) => {
        // Padded before it is painted: the codes of a colour have a length but no width.
        const padded = column === headings.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)
        return headings[column] === 'health' ? paint(padded) : padded
      })
      .join('  ')
  return [colors.dim(line(headings)), ...rows.map(({ cells, color }) => line(cells, color))].join('\n')
}

export function healthInWords(health: Health): string {
  switch (health.state) {
    case 'not ready':
    case 'dead':
      return `${health.state}: ${health.reason}`
    case 'external':
      return `external: ${health.where}`
    default:
      return health.state
  }
}

function colorOf(health: Health, colors: Colors): (text: string) => string {
  switch (health.state) {
    case 'ready':
      return colors.green
    case 'not ready':
      return colors.yellow
    case 'dead':
      return colors.red
    default:
      return colors.dim
  }
}

function shorter(base: string, file: string): string {
  const path = relative(base, file)
  return path.startsWith('..') ? file : path
}
