import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { FlotillaError } from '../../electron/base/errors.ts'

const ETCD = '/usr/bin/etcd'
const ETCDCTL = '/usr/bin/etcdctl'
/** Linux' USER_HZ, in which /proc counts CPU time. */
const TICKS_A_SECOND = 100

export interface EtcdPeer extends AsyncDisposable {
  readonly port: number
  readonly version: string
  /** From the start of its process until it answered, in milliseconds. */
  readonly startMilliseconds: number
  /** User and system time of the server so far, in microseconds. */
  cpuMicroseconds(): number
  /** Memory that the process has now, in bytes, files that it maps included. */
  residentBytes(): number
  /** As a power cut would. */
  kill(): Promise<void>
}

/** A single etcd member as Debian ships it, with its defaults, so that it flushes before it answers; with what it has in `dir`. */
export async function startEtcd(dir: string): Promise<EtcdPeer> {
  if (!existsSync(ETCD)) {
    throw new FlotillaError('MISSING_REQUIREMENT', {
      what: 'The store cannot be compared with etcd.',
      why: `${ETCD} is not there.`,
      next: 'Install the package etcd-server.',
    })
  }
  const version = /etcd Version: (\S+)/.exec(spawnSync(ETCD, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? 'unknown'
  const [port, peerPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const args = ['--data-dir', join(dir, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peerUrl]
  args.push('--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`, '--quota-backend-bytes', String(8e9))
  args.push('--logger', 'zap', '--log-level', 'error')
  const began = systemClock.monotonic()
  const server = spawn(ETCD, args, { stdio: 'ignore' })
  const exited = once(server, 'exit')
  await healthy(url)
  const startMilliseconds = systemClock.monotonic() - began
  const end = async (signal: NodeJS.Signals) => {
    server.kill(signal)
    await exited
  }
  return {
    port,
    version,
    startMilliseconds,
    residentBytes: () => residentBytes(server.pid),
    kill: () => end('SIGKILL'),
    cpuMicroseconds() {
      const stat = readFileSync(`/proc/${server.pid}/stat`, 'utf8')
      const [user, system] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
      return ((Number(user) + Number(system)) * 1e6) / TICKS_A_SECOND
    },
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/**
 * Writes a second with 1,000 clients, as etcd's own tool measures them for a minute: 1 KiB values, at most 8,000 a second; null without
 * etcdctl.
 */
export function checkPerf(port: number): number | null {
  if (!existsSync(ETCDCTL)) return null
  const args = [`--endpoints=127.0.0.1:${port}`, 'check', 'perf', '--load=l']
  const { stdout } = spawnSync(ETCDCTL, args, { encoding: 'utf8', env: { ...process.env, ETCDCTL_API: '3' } })
  const found = /Throughput (?:is|too low:) (\d+) writes\/s/.exec(stdout)
  return found ? Number(found[1]) : null
}

/** What /proc says of a process: its resident memory in bytes. */
export function residentBytes(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** Its health is a read of its own, so that it serves when it is healthy. */
async function healthy(url: string): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    const ok = await fetch(`${url}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    await sleep(systemClock, 5)
  }
  throw new Error('etcd did not become healthy')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
