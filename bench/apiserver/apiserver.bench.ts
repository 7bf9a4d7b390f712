import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { bundleOurs } from './bundle.ts'
import type { Figures, Job } from './load.ts'
import { type Server, startOurs, startPeer } from './servers.ts'

const PODS = 10_000
const SECONDS = 5
const LISTS = 5
const WATCHERS = 1000
const EVENTS = 100

interface Results {
  readonly ready: number
  readonly idle: number
  readonly full: number
  readonly create: Timed
  readonly get: Timed
  readonly patch: Timed
  readonly list: Timed
  readonly fanOut: Timed
}

interface Timed extends Figures {
  /** Of the server with its store, in microseconds an operation. */
  readonly cpu: number
}

/**
 * Our API server on its durable store, against the kube-apiserver that KUBE_APISERVER names on Debian's etcd; without it ours alone. Over
 * TLS with 50 connections of HTTP/1.1 that stay open, each with one request at a time, from a process of its own; pods have 4 KB.
 */
export async function* run(): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-apiserver-'))
  try {
    const bundle = await bundleOurs(join(dir, 'bundle'))
    const ours = await measure(await startOurs(dir, bundle))
    const binary = process.env['KUBE_APISERVER']
    const peer = binary ? await measure(await startPeer(join(dir, 'peer'), binary)) : null
    yield* compared(ours, peer)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function* compared(ours: Results, peer: Results | null): Iterable<Measure> {
  const rate = ({ operations, seconds }: Figures) => operations / seconds
  const of = <T>(pick: (results: Results) => T) => [pick(ours), peer && pick(peer)] as const
  const more = (name: string, unit: string, pick: (results: Results) => number) => moreIsBetter(name, unit, ...of(pick))
  const less = (name: string, unit: string, pick: (results: Results) => number) => lessIsBetter(name, unit, ...of(pick))
  yield less('start to ready', 'ms', ({ ready }) => ready)
  yield more('creates of pods', 'creates/s', ({ create }) => rate(create))
  yield more('gets of pods', 'gets/s', ({ get }) => rate(get))
  yield more('merge patches of pods', 'patches/s', ({ patch }) => rate(patch))
  yield less('LIST of 10,000 pods, median', 'ms', ({ list }) => list.p50)
  yield more('events to 1,000 watchers', 'events/s', ({ fanOut }) => rate(fanOut))
  yield less('events to 1,000 watchers, p99 lag', 'ms', ({ fanOut }) => fanOut.p99)
  yield less('resident memory, idle', 'MiB', ({ idle }) => idle / 1048576)
  yield less('resident memory, 10,000 pods', 'MiB', ({ full }) => full / 1048576)
  for (const part of ['create', 'get', 'patch', 'list', 'fanOut'] as const) {
    yield less(`processor time, ${part === 'fanOut' ? 'event delivered' : part}`, 'us', (results) => results[part].cpu)
  }
}

/** All of it on one server, which is ended afterwards. */
async function measure(server: Server): Promise<Results> {
  await using _ = server
  const idle = server.rss()
  const load = fork(join(import.meta.dirname, 'load.ts'), [JSON.stringify(server.identity)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    await once(load, 'message')
    const timed = async (job: Job): Promise<Timed> => {
      const before = server.cpu()
      load.send(job)
      const [figures] = (await Promise.race([once(load, 'message'), once(load, 'exit')])) as [Figures | number]
      if (typeof figures !== 'object') throw new Error('the load ended; see above')
      return { ...figures, cpu: (server.cpu() - before) / figures.operations }
    }
    await timed({ do: 'prepare' })
    const create = await timed({ do: 'create', count: PODS })
    const get = await timed({ do: 'get', count: PODS, seconds: SECONDS })
    const patch = await timed({ do: 'patch', count: PODS, seconds: SECONDS })
    const full = server.rss()
    const list = await timed({ do: 'list', times: LISTS })
    const fanOut = await timed({ do: 'fan-out', watchers: WATCHERS, events: EVENTS })
    return { ready: server.readyMs, idle, full, create, get, patch, list, fanOut }
  } finally {
    load.kill()
  }
}
