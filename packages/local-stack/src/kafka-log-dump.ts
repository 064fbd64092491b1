import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalStackError } from './errors.ts'
import { type DumpedRecord, parseLogDump } from './kafka-log-dump-parser.ts'
import { lastLines } from './log-tail.ts'

/**
 * Every record of a topic in the folder where a broker keeps its records, read by Kafka's own `DumpLogSegments`.
 * The broker may be running, stopped or dead meanwhile.
 *
 * @throws LocalStackError `DUMP_FAILED` when the broker has no such topic or the tool fails.
 */
export async function dumpTopic(
  topic: string,
  recordsFolder: string,
  tool: { readonly java: string; readonly libs: string },
): Promise<DumpedRecord[]> {
  const files = await segmentFiles(topic, recordsFolder)
  if (files.length === 0) {
    throw new LocalStackError(
      'DUMP_FAILED',
      `Topic "${topic}" was to be read from the broker's files, but ${recordsFolder} has none of it. Create the topic first.`,
    )
  }
  const args = [
    ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    // Three names, because Java versions differ in which of them decides how standard output is encoded.
    ...['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8', '-Dsun.stdout.encoding=UTF-8'],
    ...['-cp', join(tool.libs, '*'), 'org.apache.kafka.tools.DumpLogSegments', '--print-data-log'],
    ...['--files', files.join(',')],
  ]
  const records = parseLogDump(await runTool(tool.java, args, recordsFolder))
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

/** The segment files of a topic, relative to the records folder: its own path may hold a comma, which separates files. */
async function segmentFiles(topic: string, recordsFolder: string): Promise<string[]> {
  const files: string[] = []
  for (const folder of await readdir(recordsFolder)) {
    const partition = folder.slice(topic.length + 1)
    if (!folder.startsWith(`${topic}-`) || !/^\d+$/.test(partition)) continue
    for (const name of await readdir(join(recordsFolder, folder))) {
      if (name.endsWith('.log')) files.push(join(folder, name))
    }
  }
  return files
}

function runTool(java: string, args: readonly string[], cwd: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tool = spawn(java, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    tool.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    tool.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    tool.once('error', reject)
    tool.once('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(output))
      const said = lastLines(Buffer.concat(errors).toString(), 10)
      reject(new LocalStackError('DUMP_FAILED', `DumpLogSegments in ${cwd} ended with ${code}. It said:\n${said}`))
    })
  })
}
