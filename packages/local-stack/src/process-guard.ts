import { spawn } from 'node:child_process'
import { Socket } from 'node:net'

/** Watches over this process and ends another one when this one is gone, however it went. */
export interface ProcessGuard {
  /** Stops watching; the guarded process is left as it is. */
  release(): void
}

// The guard reads from a pipe that only this process can write to. The pipe ends when this process does, SIGKILL included.
// The pause before the removal lets the helpers of a killed server notice that it is gone.
const SCRIPT = 'while read -r line; do :; done; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || { sleep 1; rm -rf -- "$2"; }'

/** Ends the process with this id, and removes the folder if one is named, as soon as this process no longer lives. */
export function guardProcess(pid: number, throwawayFolder?: string): ProcessGuard {
  const guard = spawn('sh', ['-c', SCRIPT, 'evtkit-guard', String(pid), throwawayFolder ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  guard.on('error', () => {})
  if (guard.stdin instanceof Socket) guard.stdin.unref()
  return { release: () => void guard.kill('SIGKILL') }
}
