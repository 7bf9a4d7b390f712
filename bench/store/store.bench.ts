import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { checkPerf, type EtcdPeer, startEtcd } from './etcd-peer.ts'
import type { LoadResult } from './load.ts'

type Run = LoadResult & { readonly cpuMicroseconds: number }

const EMBEDDED_LOAD = new URL('./embedded-load.ts', import.meta.url)
const ETCD_LOAD = new URL('./etcd-load.ts', import.meta.url)
const WRITERS = [1, 64, 1000]
const SECONDS = 4
/** Each of the two runs so often, by turns; the median of each is compared. */
const ROUNDS = 3

/**
 * The embedded store, written to from within its process, against Debian's etcd over its gRPC from another process on this machine:
 * durable puts of 1 KiB, on the same file system, both flushing before they answer. CPU is all of our process, writers included, but of
 * etcd the server only. With 1,000 writers etcd is given the better of our client's figure and its own tool's.
 */
export async function* run(): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-store-'))
  try {
    await using etcd = await startEtcd(dir)
    const peer = `etcd ${etcd.version}`
    for (const writers of WRITERS) {
      const ours: Run[] = []
      const theirs: Run[] = []
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await child(EMBEDDED_LOAD, [join(dir, `store-${writers}-${round}`), writers, SECONDS]))
        theirs.push(await loadEtcd(etcd, writers))
      }
      const of = (runs: readonly Run[], figure: (run: Run) => number) => median(runs.map(figure))
      const name = `${writers} ${writers === 1 ? 'writer' : 'writers'}`
      const rate = (result: Run) => result.writes / result.seconds
      const own = writers === 1000 ? checkPerf(etcd.port) : null
      const best = Math.max(of(theirs, rate), own ?? 0)
      const note = own === null ? peer : `${peer}; its own check perf: ${own}`
      yield moreIsBetter(`durable 1 KiB puts, ${name}`, 'puts/s', of(ours, rate), best, note)
      yield lessIsBetter(`CPU a put, ${name}`, 'us', of(ours, cpu), of(theirs, cpu), 'etcd: the server only')
      yield lessIsBetter(
        `median latency, ${name}`,
        'ms',
        of(ours, ({ p50 }) => p50),
        of(theirs, ({ p50 }) => p50),
      )
      yield lessIsBetter(
        `p99 latency, ${name}`,
        'ms',
        of(ours, ({ p99 }) => p99),
        of(theirs, ({ p99 }) => p99),
      )
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function cpu({ cpuMicroseconds, writes }: Run): number {
  return cpuMicroseconds / writes
}

async function loadEtcd(etcd: EtcdPeer, writers: number): Promise<Run> {
  const before = etcd.cpuMicroseconds()
  const result = await child(ETCD_LOAD, [etcd.port, writers, SECONDS])
  // The warm-up is in the CPU time, a tenth more of the same.
  return { ...result, cpuMicroseconds: (etcd.cpuMicroseconds() - before) / 1.1 }
}

async function child(script: URL, args: readonly (string | number)[]): Promise<Run> {
  const process_ = spawn(process.execPath, [fileURLToPath(script), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  process_.stdout.on('data', (chunk) => (output += String(chunk)))
  const [code] = (await once(process_, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${script.pathname} ended with ${code}`)
  return JSON.parse(output) as Run
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
