import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { startEtcd } from '../store/etcd-peer.ts'
import type { LoadResult } from '../store/load.ts'
import { type FacePeer, startFace } from '../store-grpc/face-peer.ts'

type Run = LoadResult & { readonly cpuMicroseconds: number }

const LOAD = fileURLToPath(new URL('./work-load.ts', import.meta.url))
const SECONDS = 3
/** Each of the two runs so often, by turns; the median of each is compared. */
const ROUNDS = 3

const WORKS = [
  { work: 'txn', workers: 64, name: 'transactions, 64 writers', unit: 'txns/s', each: 'a transaction' },
  { work: 'get', workers: 64, name: 'ranges of one key, 64 readers', unit: 'ranges/s', each: 'a range of one key' },
  { work: 'list', workers: 8, name: 'ranges of 500 keys of 1 KiB, 8 readers', unit: 'ranges/s', each: 'a range of 500 keys' },
  { work: 'watch', workers: 100, name: 'events to 100 watchers', unit: 'events/s', each: 'an event' },
]

/**
 * What clients do beside puts: transactions as Kubernetes makes them, reads, and watches, whose latency is the time from sending a put
 * to hearing of it. The embedded store behind its etcd face against Debian's etcd, both over gRPC from the same client; CPU is the server's.
 */
export async function* run(): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-work-'))
  try {
    await using ours = await startFace(join(dir, 'store'))
    await using theirs = await startEtcd(dir)
    for (const server of [ours, theirs]) await load(server, 'fill', 0)
    for (const { work, workers, name, unit, each } of WORKS) {
      const [own, other]: [Run[], Run[]] = [[], []]
      for (let round = 0; round < ROUNDS; round++) {
        own.push(await load(ours, work, workers))
        other.push(await load(theirs, work, workers))
      }
      const pair = (figure: (result: Run) => number) => [median(own.map(figure)), median(other.map(figure))] as const
      yield moreIsBetter(name, unit, ...pair(({ writes, seconds }) => writes / seconds), `over gRPC; etcd ${theirs.version}`)
      yield lessIsBetter(`CPU ${each}`, 'us', ...pair(({ cpuMicroseconds, writes }) => cpuMicroseconds / writes), 'servers only')
      yield lessIsBetter(`median latency, ${name}`, 'ms', ...pair(({ p50 }) => p50))
      yield lessIsBetter(`p99 latency, ${name}`, 'ms', ...pair(({ p99 }) => p99))
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function load(server: FacePeer, work: string, workers: number): Promise<Run> {
  const before = server.cpuMicroseconds()
  const client = spawn(process.execPath, [LOAD, String(server.port), work, String(workers), String(SECONDS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  client.stdout.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(client, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the client ended with ${code}`)
  // The warm-up is in the CPU time, a tenth more of the same.
  return { ...(JSON.parse(output) as LoadResult), cpuMicroseconds: (server.cpuMicroseconds() - before) / 1.1 }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
