import { expect, test } from 'vitest'
import { API_KEYS, KafkaFrameReader, readCorrelationId, readRequest } from './kafka-frame.ts'

function request(apiKey: number, correlationId: number, body = ''): Buffer {
  const frame = Buffer.alloc(12 + body.length)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt16BE(apiKey, 4)
  frame.writeInt16BE(9, 6)
  frame.writeInt32BE(correlationId, 8)
  frame.write(body, 12)
  return frame
}

test('frames come out whole, whatever pieces the bytes come in', () => {
  const frames = [request(0, 1, 'first'), request(1, 2), request(12, 3, 'a third one')]
  const bytes = Buffer.concat(frames)
  for (const pieceSize of [1, 3, 5, 17, bytes.length]) {
    const reader = new KafkaFrameReader()
    const read: Buffer[] = []
    for (let at = 0; at < bytes.length; at += pieceSize) read.push(...reader.push(bytes.subarray(at, at + pieceSize)))
    expect(read, `pieces of ${pieceSize} bytes`).toEqual(frames)
  }
})

test('a frame that is not whole yet is held back', () => {
  const frame = request(0, 1, 'body')
  const reader = new KafkaFrameReader()
  expect(reader.push(frame.subarray(0, frame.length - 1))).toEqual([])
  expect(reader.push(frame.subarray(frame.length - 1))).toEqual([frame])
})

test('a request says what it asks for', () => {
  const frame = request(API_KEYS.OffsetCommit, -5)
  expect(readRequest(frame)).toEqual({ apiKey: 8, apiVersion: 9, correlationId: -5, clientId: '', frame })
})

test('a request says which client it comes from', () => {
  const frame = Buffer.concat([request(API_KEYS.Produce, 1), Buffer.from([0, 4]), Buffer.from('shop and more')])
  expect(readRequest(frame).clientId).toBe('shop')
})

test('a response says which request it answers', () => {
  const frame = Buffer.alloc(8)
  frame.writeInt32BE(4, 0)
  frame.writeInt32BE(77, 4)
  expect(readCorrelationId(frame)).toBe(77)
})
