import { expect, test } from 'vitest'
import { parseLogDump } from './kafka-log-dump-parser.ts'

function batch(values: { baseSequence?: number; producerId?: number; isControl?: boolean } = {}): string {
  return (
    `baseOffset: 0 lastOffset: 3 count: 4 baseSequence: ${values.baseSequence ?? 0} lastSequence: 3 ` +
    `producerId: ${values.producerId ?? 7} producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false ` +
    `isControl: ${values.isControl ?? false} deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1795517257794 ` +
    'size: 149 magic: 2 compresscodec: none crc: 2072388927 isvalid: true\n'
  )
}

function record(offset: number, key: string | null, value: string | null, headerKeys = ''): string {
  const size = (text: string | null) => (text === null ? -1 : Buffer.byteLength(text))
  return (
    `| offset: ${offset} CreateTime: 1795517257794 keySize: ${size(key)} valueSize: ${size(value)} sequence: ${offset} ` +
    `headerKeys: [${headerKeys}]${key === null ? '' : ` key: ${key}`}${value === null ? '' : ` payload: ${value}`}\n`
  )
}

function parse(...parts: (string | Buffer)[]) {
  return parseLogDump(Buffer.concat(parts.map((part) => Buffer.from(part))))
}

const PARTITION_2 = 'Dumping orders-2/00000000000000000000.log\nLog starting offset: 0\n'

test('a record has its place, its producer and its content', () => {
  expect(parse(PARTITION_2, batch({ baseSequence: 5 }), record(8, 'k', 'v', 'a,b'))).toEqual([
    {
      partition: 2,
      offset: 8,
      timestamp: 1795517257794,
      key: 'k',
      value: 'v',
      keySize: 1,
      valueSize: 1,
      headerKeys: ['a', 'b'],
      producerId: 7,
      producerEpoch: 0,
      sequence: 8,
      baseSequence: 5,
      isTransactional: false,
    },
  ])
})

test('null and empty are told apart', () => {
  const records = parse(PARTITION_2, batch(), record(0, null, null), record(1, '', ''), record(2, null, 'v'))
  expect(records.map(({ key, value }) => [key, value])).toEqual([
    [null, null],
    ['', ''],
    [null, 'v'],
  ])
})

test('a value may look like the output of the tool itself', () => {
  const forged = `first${'\n'}${record(99, 'x', 'y')}${batch()}Dumping other-0/0.log\n`
  const records = parse(PARTITION_2, batch(), record(0, 'key payload: ', forged), record(1, 'k', 'after'))
  expect(records.map(({ key, value }) => [key, value])).toEqual([
    ['key payload: ', forged],
    ['k', 'after'],
  ])
})

test('sizes count bytes, not characters', () => {
  const records = parse(PARTITION_2, batch(), record(0, 'ключ', 'значение 🚚\n'), record(1, 'k', 'v'))
  expect(records.map(({ key, value }) => [key, value])).toEqual([
    ['ключ', 'значение 🚚\n'],
    ['k', 'v'],
  ])
})

test('bytes that are not UTF-8 do not hide the records after them', () => {
  // Three bytes in the log, printed as two replacement characters around a line end.
  const broken =
    '| offset: 0 CreateTime: 1 keySize: -1 valueSize: 3 sequence: 0 headerKeys: [] payload: \ufffd\n\ufffd\n'
  const records = parse(PARTITION_2, batch(), broken, record(1, 'k', 'after'), batch(), record(2, 'k', 'last'))
  expect(records.map(({ value }) => value)).toEqual(['\ufffd\n\ufffd', 'after', 'last'])
})

test('the markers of transactions are not records', () => {
  const marker =
    '| offset: 6 CreateTime: 1 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: ABORT coordinatorEpoch: 0\n'
  const records = parse(PARTITION_2, batch({ isControl: true }), marker, batch(), record(7, 'k', 'v'))
  expect(records.map(({ offset }) => offset)).toEqual([7])
})

test('each file names its partition', () => {
  const records = parse(
    ...['Dumping a-b-0/0.log\nLog starting offset: 0\n', batch(), record(0, null, 'zero')],
    ...['Dumping a-b-11/0.log\nLog starting offset: 0\n', batch(), record(0, null, 'eleven')],
  )
  expect(records.map(({ partition, value }) => [partition, value])).toEqual([
    [0, 'zero'],
    [11, 'eleven'],
  ])
})
