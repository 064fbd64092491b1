/** One record as the broker's log file holds it. Bytes that are not UTF-8 appear as U+FFFD; the sizes count the real bytes. */
export interface DumpedRecord {
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  /** -1 for a null key. */
  readonly keySize: number
  /** -1 for a null value. */
  readonly valueSize: number
  /** Names only, in order, repeated ones included. */
  readonly headerKeys: readonly string[]
  /** -1 when the producer was not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  /** The record's own sequence number; -1 when the producer was not idempotent. */
  readonly sequence: number
  /** The sequence number of the first record of the batch in which this one was written. */
  readonly baseSequence: number
  /** Whether the batch belongs to a transaction, which may have been aborted. */
  readonly isTransactional: boolean
}

interface Batch {
  readonly baseSequence: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
}

const FILE = /Dumping .*-(\d+)[/\\][^/\\\n]*\n/y
const BATCH =
  /baseOffset: \d+ lastOffset: \d+ count: -?\d+ baseSequence: (-?\d+) lastSequence: -?\d+ producerId: (-?\d+) producerEpoch: (-?\d+) .*?isTransactional: (true|false) isControl: (true|false)[^\n]*\n/y
const RECORD_HEAD =
  /\| offset: (\d+) [A-Za-z]+: (-?\d+) keySize: (-?\d+) valueSize: (-?\d+)(?: sequence: (-?\d+) headerKeys: \[([^\n]*?)\])?(?= key: | payload: | endTxnMarker: |\n)/y
const KEY = ' key: '
const PAYLOAD = ' payload: '
/** What can follow a record. */
const NEXT =
  /\n(?:\| offset: \d+ [A-Za-z]+: -?\d+ keySize: -?\d+ valueSize: |baseOffset: \d+ lastOffset: |Dumping |Found \d+ invalid |$)/

/**
 * The data records in what `DumpLogSegments --print-data-log` prints; control records are left out.
 * Keys and values may hold anything, line ends and lines that look like the tool's own included: their printed sizes
 * say where they end.
 */
export function parseLogDump(output: Buffer): DumpedRecord[] {
  // One character for each byte, so that positions in the text are positions in the buffer.
  const text = output.toString('latin1')
  const records: DumpedRecord[] = []
  let partition = -1
  let batch: Batch | undefined
  let position = 0
  while (position < text.length) {
    const file = matchAt(FILE, text, position)
    const batchLine = file ? undefined : matchAt(BATCH, text, position)
    const head = file || batchLine ? undefined : matchAt(RECORD_HEAD, text, position)
    if (file) {
      partition = Number(file[1])
      position += file[0].length
    } else if (batchLine) {
      batch = toBatch(batchLine)
      position += batchLine[0].length
    } else if (head && batch) {
      const body = readBody(output, text, position + head[0].length, Number(head[3]), Number(head[4]))
      position = body.end
      if (!batch.isControl) records.push(toRecord(partition, batch, head, body))
    } else {
      const end = text.indexOf('\n', position)
      position = end === -1 ? text.length : end + 1
    }
  }
  return records
}

interface Body {
  readonly key: string | null
  readonly value: string | null
  readonly end: number
}

function readBody(output: Buffer, text: string, start: number, keySize: number, valueSize: number): Body {
  const keyStart = start + KEY.length
  const keyEnd = keySize < 0 ? start : keyStart + keySize
  const valueStart = keyEnd + PAYLOAD.length
  const end = valueSize < 0 ? keyEnd : valueStart + valueSize
  const fits =
    (keySize < 0 || text.startsWith(KEY, start)) &&
    (valueSize < 0 || text.startsWith(PAYLOAD, keyEnd)) &&
    isNextAt(text, end)
  if (!fits) return readLossyBody(output, text, start, keySize, valueSize)
  return {
    key: keySize < 0 ? null : output.toString('utf8', keyStart, keyEnd),
    value: valueSize < 0 ? null : output.toString('utf8', valueStart, end),
    end: end + 1,
  }
}

/** For bytes that are not UTF-8: they are printed longer than they are, so the next line of the tool is the end. */
function readLossyBody(output: Buffer, text: string, start: number, keySize: number, valueSize: number): Body {
  const next = NEXT.exec(text.slice(start))
  const end = next ? start + next.index : text.length
  const payload = valueSize < 0 ? end : text.indexOf(PAYLOAD, start + (keySize < 0 ? 0 : KEY.length))
  const keyEnd = payload === -1 || payload > end ? end : payload
  return {
    key: keySize < 0 ? null : output.toString('utf8', start + KEY.length, keyEnd),
    value: valueSize < 0 ? null : output.toString('utf8', Math.min(keyEnd + PAYLOAD.length, end), end),
    end: end + 1,
  }
}

function isNextAt(text: string, position: number): boolean {
  if (position >= text.length) return position === text.length
  return NEXT.exec(text.slice(position, position + 200))?.index === 0
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | undefined {
  pattern.lastIndex = position
  return pattern.exec(text) ?? undefined
}

function toBatch(match: RegExpExecArray): Batch {
  return {
    baseSequence: Number(match[1]),
    producerId: Number(match[2]),
    producerEpoch: Number(match[3]),
    isTransactional: match[4] === 'true',
    isControl: match[5] === 'true',
  }
}

function toRecord(partition: number, batch: Batch, head: RegExpExecArray, body: Body): DumpedRecord {
  const headerKeys = Buffer.from(head[6] ?? '', 'latin1').toString('utf8')
  return {
    partition,
    offset: Number(head[1]),
    timestamp: Number(head[2]),
    key: body.key,
    value: body.value,
    keySize: Number(head[3]),
    valueSize: Number(head[4]),
    headerKeys: headerKeys === '' ? [] : headerKeys.split(','),
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    sequence: Number(head[5] ?? -1),
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
  }
}
