/** Members of etcd as Debian ships it, on loopback. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '../../../electron/base/clock.ts'

const ETCD = '/usr/bin/etcd'
const PATIENCE = 20_000

export interface MemberOptions {
  readonly dir: string
  readonly name?: string
  readonly port: number
  readonly peerPort: number
  /** `name=http://127.0.0.1:PEER`, of all members; by default this one alone. */
  readonly cluster?: readonly string[]
  /** Files, for TLS to clients with client certificates. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string }
}

export class EtcdMember implements AsyncDisposable {
  readonly url: string
  readonly #options: MemberOptions
  #process: ChildProcess | null = null
  #log = ''

  constructor(options: MemberOptions) {
    this.#options = options
    this.url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${options.port}`
  }

  /** Returns when it serves, which of several takes a majority of them. */
  async start(): Promise<void> {
    const { dir, name = 'etcd', peerPort, tls } = this.#options
    const peerUrl = `http://127.0.0.1:${peerPort}`
    const { cluster = [`${name}=${peerUrl}`] } = this.#options
    const args = ['--name', name, '--data-dir', join(dir, name), '--listen-client-urls', this.url, '--advertise-client-urls', this.url]
    args.push('--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', cluster.join(','))
    args.push('--logger', 'zap', '--log-outputs', 'stderr', '--log-level', 'warn')
    if (cluster.length === 1) args.push('--heartbeat-interval', '20', '--election-timeout', '200')
    if (tls) args.push('--trusted-ca-file', tls.ca, '--cert-file', tls.cert, '--key-file', tls.key, '--client-cert-auth')
    const metricsUrl = `http://127.0.0.1:${await freePort()}`
    args.push('--listen-metrics-urls', metricsUrl)
    this.#log = ''
    const child = spawn(ETCD, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log = `${this.#log}${text}`.slice(-4000)))
    const until = systemClock.monotonic() + PATIENCE
    while (!(await healthy(metricsUrl))) {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}: ${this.#log}`)
      if (systemClock.monotonic() > until) throw new Error(`etcd did not become healthy: ${this.#log}`)
      await sleep(systemClock, 20)
    }
  }

  /** As a power cut would. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}

/** Three members of one cluster, started. */
export async function startThree(dir: string): Promise<EtcdMember[]> {
  const names = ['a', 'b', 'c']
  const places = await Promise.all(names.map(async (name) => ({ name, port: await freePort(), peerPort: await freePort() })))
  const cluster = places.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`)
  const members = places.map((place) => new EtcdMember({ dir, cluster, ...place }))
  await Promise.all(members.map((member) => member.start()))
  return members
}

async function healthy(metricsUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${metricsUrl}/health`)
    return response.ok && ((await response.json()) as { health: string }).health === 'true'
  } catch {
    return false
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
