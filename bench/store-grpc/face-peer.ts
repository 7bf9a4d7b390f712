import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const FACE = fileURLToPath(new URL('./face-serve.ts', import.meta.url))
/** Linux' USER_HZ, in which /proc counts CPU time. */
const TICKS_A_SECOND = 100

/** What etcd's clients reach on a port, of whichever kind. */
export interface FacePeer {
  readonly port: number
  /** User and system time so far, in microseconds. */
  cpuMicroseconds(): number
}

/** The embedded store behind its etcd face, in a process of its own. */
export async function startFace(dir: string): Promise<FacePeer & AsyncDisposable> {
  const server = spawn(process.execPath, [FACE, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(server, 'exit')
  for await (const port of createInterface(server.stdout)) {
    return {
      port: Number(port),
      cpuMicroseconds() {
        const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8')
        const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13) // prettier-ignore
        return ((Number(user) + Number(system)) * 1e6) / TICKS_A_SECOND
      },
      async [Symbol.asyncDispose]() {
        server.kill('SIGTERM')
        await exited
      },
    }
  }
  throw new Error('the face did not begin to serve')
}
