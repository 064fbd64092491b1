import type { AvroField, AvroSchema } from '../avro/avro-schema.ts'
import { logicalFormOf } from '../avro/javascript-kind.ts'
import { lineWidth } from './typescript-literal.ts'

/** A doc comment before a declaration, with its line break; nothing when there is nothing to say. */
export function docComment(paragraphs: readonly (string | undefined)[], indent: number): string {
  const texts = paragraphs.flatMap((text) => (text === undefined || text.trim() === '' ? [] : [safe(text)]))
  if (texts.length === 0) return ''
  const margin = ' '.repeat(indent)
  const only = texts.length === 1 ? texts[0] : undefined
  if (only !== undefined && indent + only.length + 7 <= lineWidth) return `${margin}/** ${only} */\n`
  const lines = texts.flatMap((text, index) => [...(index === 0 ? [] : ['']), ...wrap(text, lineWidth - indent - 3)])
  return `${margin}/**\n${lines.map((line) => `${margin} *${line === '' ? '' : ` ${line}`}\n`).join('')}${margin} */\n`
}

/** What is said of a field: its doc, how its value looks, and what stands in when a record lacks it. */
export function fieldDoc(field: AvroField): readonly (string | undefined)[] {
  const words = [field.doc, valueDoc(field.type), field.attributes.pii === true ? 'Personal data.' : undefined]
  const first = words.filter((text) => text !== undefined && text.trim() !== '').join(' ')
  return field.default === undefined ? [first] : [`${first} @default ${JSON.stringify(field.default.value)}`.trim()]
}

/** How a value looks whose Avro type would not tell. */
export function valueDoc(type: AvroSchema): string | undefined {
  if (type.kind === 'union') return type.branches.map(valueDoc).find((text) => text !== undefined)
  if (type.kind !== 'int' && type.kind !== 'bytes' && type.kind !== 'fixed') return undefined
  const form = logicalFormOf(type)
  if (form === 'date') return 'A day, as YYYY-MM-DD.'
  if (form === 'decimal') return `A decimal number as text, with ${type.scale ?? 0} digits behind the point.`
  return undefined
}

function safe(text: string): string {
  return text.trim().replace(/\s+/g, ' ').replaceAll('*/', '*\\/')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
