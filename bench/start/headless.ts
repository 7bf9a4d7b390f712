/** The built command line's `serve`, as a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../electron/base/clock.ts'

const POLL_MS = 5
const PATIENCE_MS = 120_000

export interface Served extends AsyncDisposable {
  /** Milliseconds from the start of the process to the first yes of /readyz. */
  readonly answering: number
  /** Milliseconds of processor time until then, which other programs' load hardly changes. */
  readonly cpu: number
  readonly kubeconfig: string
}

export async function serve(flotilla: string, stateDir: string): Promise<Served> {
  const port = await freePort()
  const began = systemClock.monotonic()
  const args = [flotilla, 'serve', '--state', stateDir, '--port', String(port)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const started = once(child.stdout, 'data')
  while (!(await isReady(port))) {
    if (child.exitCode !== null || systemClock.monotonic() - began > PATIENCE_MS) throw new Error('flotilla serve does not answer')
    await wait(POLL_MS)
  }
  const answering = systemClock.monotonic() - began
  const cpu = cpuOf(child.pid)
  await started
  return {
    answering,
    cpu,
    kubeconfig: `${stateDir}/kubeconfig`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** In milliseconds; user and system time are fields 14 and 15, in ticks of 10 ms. */
function cpuOf(pid: number | undefined): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', agent: false, rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
