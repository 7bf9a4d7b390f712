import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { startEtcd } from '../store/etcd-peer.ts'
import type { LoadResult } from '../store/load.ts'
import { type FacePeer, startFace } from './face-peer.ts'

type Run = LoadResult & { readonly cpuMicroseconds: number }

interface Check {
  readonly throughput: number
  /** Seconds. */
  readonly slowest: number
  readonly passed: boolean
}

const LOAD = fileURLToPath(new URL('../store/etcd-load.ts', import.meta.url))
const ETCDCTL = '/usr/bin/etcdctl'
const WRITERS = [1, 64, 1000]
const SECONDS = 4
/** Each of the two runs so often, by turns; the median of each is compared. */
const ROUNDS = 3

/**
 * The embedded store behind its etcd face, against Debian's etcd: both in processes of their own, both over gRPC and from the same client,
 * durable puts of 1 KiB on the same file system. Then etcd's own check, which wants 7,200 writes a second for a minute, none slower than
 * half a second.
 */
export async function* run(): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-grpc-'))
  try {
    await using ours = await startFace(join(dir, 'store'))
    await using theirs = await startEtcd(dir)
    const peer = `etcd ${theirs.version}`
    for (const writers of WRITERS) {
      const [own, other]: [Run[], Run[]] = [[], []]
      for (let round = 0; round < ROUNDS; round++) {
        own.push(await load(ours, writers))
        other.push(await load(theirs, writers))
      }
      const name = `${writers} ${writers === 1 ? 'writer' : 'writers'}`
      const pair = (figure: (result: Run) => number) => [median(own.map(figure)), median(other.map(figure))] as const
      yield moreIsBetter(`puts over gRPC, ${name}`, 'puts/s', ...pair(({ writes, seconds }) => writes / seconds), peer)
      yield lessIsBetter(
        `CPU a put over gRPC, ${name}`,
        'us',
        ...pair(({ cpuMicroseconds, writes }) => cpuMicroseconds / writes),
        'servers only',
      )
      yield lessIsBetter(`median latency over gRPC, ${name}`, 'ms', ...pair(({ p50 }) => p50))
      yield lessIsBetter(`p99 latency over gRPC, ${name}`, 'ms', ...pair(({ p99 }) => p99))
    }
    if (!existsSync(ETCDCTL)) return
    const [own, other] = [check(ours), check(theirs)]
    const verdict = `etcdctl check perf --load=l: ours ${passes(own)}, ${peer} ${passes(other)}`
    yield moreIsBetter('etcd’s own check, throughput', 'puts/s', own.throughput, other.throughput, verdict)
    yield lessIsBetter('etcd’s own check, slowest put', 's', own.slowest, other.slowest)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function load(server: FacePeer, writers: number): Promise<Run> {
  const before = server.cpuMicroseconds()
  const client = spawn(process.execPath, [LOAD, String(server.port), String(writers), String(SECONDS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  client.stdout.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(client, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the client ended with ${code}`)
  // The warm-up is in the CPU time, a tenth more of the same.
  return { ...(JSON.parse(output) as LoadResult), cpuMicroseconds: (server.cpuMicroseconds() - before) / 1.1 }
}

function check({ port }: FacePeer): Check {
  const args = [`--endpoints=127.0.0.1:${port}`, 'check', 'perf', '--load=l']
  const { status, stdout } = spawnSync(ETCDCTL, args, { encoding: 'utf8', env: { ...process.env, ETCDCTL_API: '3' } })
  const found = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
  return {
    throughput: found(/Throughput (?:is|too low:) (\d+) writes\/s/),
    slowest: found(/Slowest request took (?:too long: )?([\d.]+)s/),
    passed: status === 0,
  }
}

function passes({ passed }: Check): string {
  return passed ? 'passes' : 'fails'
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
