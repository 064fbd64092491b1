import { createProducer, type EventDefinition, type RawMessage } from '@evtkit/sdk'

/** The record that publishing this event would send. */
export async function recordOf<Type extends string, Data, Input>(
  event: EventDefinition<Type, Data, Input>,
  data: NoInfer<Input>,
): Promise<RawMessage> {
  const sent: RawMessage[] = []
  const sender = { send: async (messages: readonly RawMessage[]) => void sent.push(...messages) }
  await createProducer({ sender, source: 'benchmark' }).publish(event, data)
  const [record] = sent
  if (record === undefined) throw new Error('nothing was sent')
  return record
}

/** Bytes of key, value, header names and header values. */
export function recordBytes({ key, value, headers }: RawMessage): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) bytes += Buffer.byteLength(name) + content.length
  return bytes
}
