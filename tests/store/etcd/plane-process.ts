/** `flotilla serve` as a process of its own. */
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'

const FLOTILLA = join(import.meta.dirname, '../../../electron/headless/flotilla.ts')

export interface Served extends AsyncDisposable {
  readonly kubeconfig: string
  /** What it printed. */
  kubectl(...args: string[]): Promise<string>
  /** As a power cut would. */
  kill(): Promise<void>
}

export function spawnPlane(stateDir: string, ...words: string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [FLOTILLA, 'serve', '--state', stateDir, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Returns when its API server answers. */
export async function servePlane(stateDir: string, etcd: readonly string[]): Promise<Served> {
  const child = spawnPlane(stateDir, ...(etcd.length ? ['--etcd', etcd.join(',')] : []))
  const exited = once(child, 'exit')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  for await (const line of createInterface(child.stdout)) {
    const { kubeconfig } = JSON.parse(line) as { kubeconfig: string }
    return {
      kubeconfig,
      kubectl: async (...args) => (await promisify(execFile)('kubectl', ['--kubeconfig', kubeconfig, ...args])).stdout,
      kill: () => end('SIGKILL'),
      [Symbol.asyncDispose]: () => end('SIGTERM'),
    }
  }
  throw new Error(`the plane did not start: ${said}`)
}
