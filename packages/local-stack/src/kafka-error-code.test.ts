import { expect, test } from 'vitest'
import { errorCodeWritten } from './kafka-error-code.ts'
import { API_KEYS, type KafkaRequest } from './kafka-frame.ts'

const int16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff])
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value)])
const zeros = (bytes: number) => Buffer.alloc(bytes)
const string = (text: string) => Buffer.concat([int16(text.length), Buffer.from(text)])
const compact = (text: string) => Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(text)])

const request = (apiKey: number, apiVersion: number): KafkaRequest => ({
  apiKey,
  apiVersion,
  correlationId: 0,
  clientId: '',
  frame: zeros(0),
})

/** A response with this where its error codes stand, so that two of them can be compared. */
type Response = (errorCode: number) => Buffer

/** Length and correlation id, which nobody looks at here. */
const head = zeros(8)

const responses: readonly (readonly [name: string, apiKey: number, version: number, response: Response])[] = [
  [
    'Produce of version 7, two topics',
    API_KEYS.Produce,
    7,
    (code) =>
      Buffer.concat([
        ...[head, int32(2)],
        ...[string('orders'), int32(2), int32(0), int16(code), zeros(24), int32(1), int16(code), zeros(24)],
        ...[string('carts'), int32(1), int32(0), int16(code), zeros(24), int32(0)],
      ]),
  ],
  [
    'Produce of version 9, with tags and a message of error',
    API_KEYS.Produce,
    9,
    (code) =>
      Buffer.concat([
        ...[head, Buffer.from([1, 5, 2, 9, 9]), Buffer.from([2]), compact('orders'), Buffer.from([3])],
        ...[int32(0), int16(code), zeros(24), Buffer.from([2]), int32(0), compact('why'), Buffer.from([0])],
        ...[compact('message'), Buffer.from([0])],
        ...[int32(1), int16(code), zeros(24), Buffer.from([1]), Buffer.from([0]), Buffer.from([0])],
        ...[Buffer.from([0]), int32(0), Buffer.from([0])],
      ]),
  ],
  [
    'Fetch of version 11',
    API_KEYS.Fetch,
    11,
    (code) =>
      Buffer.concat([
        ...[head, int32(0), int16(code), int32(0), int32(1), string('orders'), int32(2)],
        ...[int32(0), int16(code), zeros(24), int32(1), zeros(16), int32(-1), int32(3), Buffer.from('abc')],
        ...[int32(1), int16(code), zeros(24), int32(-1), int32(-1), int32(-1)],
      ]),
  ],
  [
    'ListOffsets of version 5',
    API_KEYS.ListOffsets,
    5,
    (code) =>
      Buffer.concat([head, int32(0), int32(1), string('orders'), int32(1), int32(3), int16(code), zeros(20), zeros(0)]),
  ],
  [
    'OffsetCommit of version 5',
    API_KEYS.OffsetCommit,
    5,
    (code) =>
      Buffer.concat([
        ...[head, int32(0), int32(1), string('orders'), int32(2)],
        ...[int32(0), int16(code), int32(1), int16(code)],
      ]),
  ],
  [
    'OffsetCommit of version 8',
    API_KEYS.OffsetCommit,
    8,
    (code) =>
      Buffer.concat([
        ...[head, Buffer.from([0]), int32(0), Buffer.from([2]), compact('orders'), Buffer.from([3])],
        ...[int32(0), int16(code), Buffer.from([0]), int32(1), int16(code), zeros(3)],
      ]),
  ],
  [
    'OffsetFetch of version 5',
    API_KEYS.OffsetFetch,
    5,
    (code) =>
      Buffer.concat([
        ...[head, int32(0), int32(1), string('orders'), int32(1)],
        ...[int32(0), zeros(12), string(''), int16(code), int16(code)],
      ]),
  ],
  ['Heartbeat of version 3', API_KEYS.Heartbeat, 3, (code) => Buffer.concat([head, int32(0), int16(code)])],
  [
    'Heartbeat of version 4',
    API_KEYS.Heartbeat,
    4,
    (code) => Buffer.concat([head, zeros(1), int32(0), int16(code), zeros(1)]),
  ],
  ['JoinGroup of version 1', API_KEYS.JoinGroup, 1, (code) => Buffer.concat([head, int16(code), zeros(20)])],
]

for (const [name, apiKey, version, response] of responses)
  test(`${name} is failed everywhere and otherwise left as it is`, () => {
    const original = response(0)
    expect(errorCodeWritten(original, request(apiKey, version), 27)).toEqual(response(27))
    expect(original).toEqual(response(0))
  })

test('a version that is not known, one that is cut off, and one with nothing to fail are left alone', () => {
  expect(errorCodeWritten(zeros(200), request(API_KEYS.Produce, 13), 7)).toBeUndefined()
  expect(errorCodeWritten(Buffer.concat([head, int32(1)]), request(API_KEYS.OffsetCommit, 2), 7)).toBeUndefined()
  expect(errorCodeWritten(Buffer.concat([head, int32(0)]), request(API_KEYS.OffsetCommit, 2), 7)).toBeUndefined()
})
