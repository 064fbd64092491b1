import type { ContractFinding, ContractsCheck } from '@evtkit/sdk/contracts'
import type { Output } from './output.ts'

/** Prints what a check of the contracts found: for people by file and event, so that each can be opened and mended. */
export function printContractsCheck(check: ContractsCheck, output: Output): void {
  for (const finding of check.findings) output.record(finding)
  const { style } = output
  const groups = new Map<string, ContractFinding[]>()
  for (const finding of check.findings) {
    const title = `${style.bold(finding.file)}  ${finding.event} ${finding.version}`
    groups.set(title, [...(groups.get(title) ?? []), finding])
  }
  for (const [title, findings] of groups) {
    output.line(title)
    for (const finding of findings) printFinding(finding, output)
    output.line()
  }
}

function printFinding(finding: ContractFinding, { line, style }: Output): void {
  const mark = (finding.severity === 'warning' ? style.yellow : style.red)(finding.severity)
  line(`  ${mark}  ${[words[finding.kind], finding.path].filter((text) => text !== '').join(' at ')}`)
  line(`    What:  ${finding.message}`)
  // Words that are missing harm nobody.
  if (finding.severity !== 'rule') line(`    Who:   ${who(finding)}`)
  finding.advice.forEach((advice, index) => {
    line(`    ${index === 0 ? 'Do:    ' : '       '}${advice}`)
  })
}

const words: Readonly<Record<ContractFinding['kind'], string>> = {
  incompatible: 'incompatible',
  'event-removed': 'event removed',
  'record-renamed': 'record renamed',
  'topic-changed': 'other topic',
  'key-changed': 'other key',
  'meaning-changed': 'other meaning of the same bytes',
  'pii-unmarked': 'no longer marked personal',
  'readers-first': 'fails readers that run today',
  'symbol-removed': 'symbol gone',
  undocumented: 'no doc',
}

function who({ consumers, compatibility, event }: ContractFinding): string {
  if (consumers.length === 0)
    return `nobody in consumers.yaml reads ${event}; old records, replays and other readers do.`
  const groups = consumers.join(', ')
  switch (compatibility?.direction) {
    case 'backward':
      return `${groups}: as soon as they take the new schema and meet an old record.`
    case 'forward':
      return `${groups}: as they run now, as soon as a record with the new schema comes.`
    default:
      return `${groups} ${consumers.length === 1 ? 'reads' : 'read'} ${event}.`
  }
}
