import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type MemberName, partNames } from './part.ts'
import type { StackFolder } from './stack-folder.ts'

const run = promisify(execFile)

/** A process that serves a stack, known by its command line alone. */
export interface StackProcess {
  readonly pid: number
  readonly member: MemberName
}

/** What `ps` shows for a part; by it a process is found even when the state file knows nothing of it. */
export function processTitle(folder: StackFolder, member: MemberName): string {
  return `evtkit-stack ${folder.path} ${member}`
}

/** All processes of this computer that serve the stack of the folder. */
export async function findStackProcesses(folder: StackFolder): Promise<StackProcess[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,args='], { maxBuffer: 64 * 1024 * 1024 })
  return parseProcessList(stdout, folder)
}

/** Picks the processes of a stack from the output of `ps -o pid=,args=`. */
export function parseProcessList(list: string, folder: StackFolder): StackProcess[] {
  return list.split('\n').flatMap((line) => {
    const [, pid, args] = /^\s*(\d+) (.*)$/.exec(line) ?? []
    if (pid === undefined || args === undefined || Number(pid) === process.pid) return []
    const member = memberOf(args, folder)
    return member === undefined ? [] : [{ pid: Number(pid), member }]
  })
}

function memberOf(args: string, folder: StackFolder): MemberName | undefined {
  // Whole phrases only: an editor or a `tail` that has a file of the folder open also names the folder.
  for (const part of partNames) {
    const title = processTitle(folder, part)
    if (args === title || args.startsWith(`${title} `) || args.includes(`--title=${title} `)) return part
  }
  if (args.endsWith(` kafka.Kafka ${folder.kafka}/server.properties`)) return 'kafka'
  if (/^\S*postgres /.test(args) && args.includes(` -D ${folder.postgres}/cluster `)) return 'postgres'
  if (args.includes(`=jdbc:h2:file:${folder.registry}/schemas;`) && args.endsWith('quarkus-run.jar')) return 'registry'
  return undefined
}
