import { open, stat } from 'node:fs/promises'

/** The size of a log file in bytes; 0 when it does not exist yet. */
export async function logSize(logFile: string): Promise<number> {
  try {
    return (await stat(logFile)).size
  } catch {
    return 0
  }
}

/** The text of a log file from a byte position on; empty when the file does not exist yet. */
export async function readLogFrom(logFile: string, position: number): Promise<string> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(logFile, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = await handle.stat()
    if (size <= position) return ''
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - position), position })
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await handle.close()
  }
}

/** The last lines of a text, for showing in an error. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
