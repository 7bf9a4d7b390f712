import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { deferred } from '../../electron/base/async.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import { lessIsBetter, type Measure, moreIsBetter } from '../measure.ts'
import { addPods, type HollowCluster, NAMESPACE, type PodSeries, startHollowCluster, whenBound } from './hollow-cluster.ts'
import { assertLegal } from './legality.ts'
import { rollOut } from './roll-out.ts'

const NODES = 5000

interface Case {
  readonly name: string
  readonly nodes: number
  readonly pods: number
  /** Default 10. */
  readonly zones?: number
  readonly spec?: Draft<Pod['spec']>
  /** Pods that are on the nodes before. */
  readonly before?: PodSeries
  /** Pods a second that Kubernetes' own CI demands of kube-scheduler in the nearest case of `test/integration/scheduler_perf`. */
  readonly floor: number
  readonly of: string
}

const labelSelector = { matchLabels: { app: 'bench' } }
const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'
const CASES: readonly Case[] = [
  { name: 'plain pods', nodes: 1000, pods: 5000, floor: 680, of: 'SchedulingBasic/5000Nodes_10000Pods' },
  { name: 'plain pods', nodes: NODES, pods: 10_000, floor: 680, of: 'SchedulingBasic/5000Nodes_10000Pods' },
  {
    name: 'pods with affinity in one zone',
    nodes: NODES,
    zones: 1,
    pods: 5000,
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ZONE, labelSelector }] } } },
    floor: 35,
    of: 'SchedulingPodAffinity/5000Nodes_5000Pods',
  },
  {
    name: 'pods with anti-affinity on hosts',
    nodes: NODES,
    pods: 2000,
    spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOST, labelSelector }] } } },
    floor: 60,
    of: 'SchedulingPodAntiAffinity/5000Nodes_2000Pods',
  },
  {
    name: 'pods spread over zones',
    nodes: NODES,
    pods: 5000,
    spec: { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector }] },
    floor: 90,
    of: 'TopologySpreading/5000Nodes_5000Pods',
  },
  displacing(500, 500),
  displacing(NODES, 2000),
]

/** Nodes are full, and each of the pods needs the room of three. */
function displacing(nodes: number, pods: number): Case {
  return {
    name: 'pods that displace others',
    nodes,
    pods,
    // Gone at once, since no kubelet is asked.
    before: { prefix: 'low', app: 'low', count: 4 * nodes, cpu: '7', spec: { terminationGracePeriodSeconds: 0 } },
    spec: {
      priorityClassName: 'system-cluster-critical',
      containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '24' } } }],
    },
    floor: 570,
    of: 'PreemptionBasic/500Nodes',
  }
}

/**
 * Pods bound a second, from the start of the scheduler until the last is on its node, with the API server and its durable store in the
 * same process; beside what Kubernetes' CI demands of its own, which has a process and a machine to itself. Every placement is checked.
 * `CASES=affinity,plain` runs those whose names contain one of these.
 */
export async function* run(): AsyncIterable<Measure> {
  const wanted = process.env['CASES']?.split(',')
  const isWanted = (name: string) => !wanted || wanted.some((part) => name.includes(part))
  for (const one of CASES) {
    if (!isWanted(one.name)) continue
    const { rate, cpu, p99 } = await inCluster(one, ({ client }) => measure(client, one))
    const name = `${one.name}, ${one.nodes} nodes`
    yield moreIsBetter(name, 'pods/s', rate, one.floor, `peer: floor of kube-scheduler's CI, ${one.of}, on its own machine`)
    yield lessIsBetter(`${name}, processor time of all threads`, 'ms/pod', cpu, null, 'API server and store included')
    yield lessIsBetter(`${name}, p99 of a decision`, 'ms', p99, null)
  }
  if (isWanted('roll-out')) yield* inFolder(rollOut)
}

async function measure(client: Client, { pods, spec, before }: Case): Promise<Result> {
  if (before) {
    await addPods(client, before)
    await schedule(client, before)
  }
  const series = { prefix: 'pod', app: 'bench', count: pods, ...(spec ? { spec } : {}) }
  await addPods(client, series)
  const result = await schedule(client, series)
  await assertPlaced(client)
  return result
}

async function assertPlaced(client: Client): Promise<void> {
  const { items: nodes } = await client.list(nodeKind)
  const { items: pods } = await client.list(podKind, { namespace: NAMESPACE })
  assertLegal(
    nodes,
    pods.filter(({ metadata, spec }) => !metadata.deletionTimestamp && spec.nodeName),
  )
}

function inCluster<T>({ nodes, zones = 10 }: Case, work: (cluster: HollowCluster) => Promise<T>): Promise<T> {
  return withFolder(async (dir) => {
    await using cluster = await startHollowCluster(dir, nodes, zones)
    return await work(cluster)
  })
}

async function* inFolder(work: (dir: string) => AsyncIterable<Measure>): AsyncIterable<Measure> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-scheduler-'))
  try {
    yield* work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function withFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-scheduler-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Pods bound a second; milliseconds of processor time for each; and how long 99 of 100 decisions took at most, in milliseconds. */
interface Result {
  readonly rate: number
  readonly cpu: number
  readonly p99: number
}

async function schedule(client: Client, { app, count }: PodSeries): Promise<Result> {
  const decisions: number[] = []
  const onDecision = (duration: number) => void decisions.push(duration)
  await using scheduler = createScheduler({ client, clock: systemClock, random: seededRandom(1), logger: silentLogger, onDecision })
  const watching = deferred<void>()
  const bound = whenBound(client, app, count, () => watching.resolve())
  await watching.promise
  const began = performance.now()
  const before = process.cpuUsage()
  await scheduler.start()
  await bound
  const rate = (count * 1000) / (performance.now() - began)
  const { user, system } = process.cpuUsage(before)
  decisions.sort((a, b) => a - b)
  return { rate, cpu: (user + system) / 1000 / count, p99: decisions[Math.floor(decisions.length * 0.99)] ?? 0 }
}
