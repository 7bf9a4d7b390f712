import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { deferred, mapLimit } from '../../electron/base/async.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createScheduler } from '../../electron/scheduler/scheduler.ts'
import { type Measure, moreIsBetter } from '../measure.ts'
import { addPods, startHollowCluster, whenBound } from './hollow-cluster.ts'

const NODES = 1000
const PODS = 5000
/** The size of the peer's own case. */
const PEER_NODES = 5000
const PEER_PODS = 10_000
/** As many bindings at a time as the scheduler has under way. */
const BINDERS = 256

interface Case {
  readonly name: string
  readonly nodes: number
  readonly pods: number
  readonly spec?: Draft<Pod['spec']>
  /** Pods a second that Kubernetes' own CI demands of kube-scheduler in the nearest case of `test/integration/scheduler_perf`. */
  readonly floor: number
  readonly of: string
}

const selector = { matchLabels: { app: 'bench' } }
const ZONE = 'topology.kubernetes.io/zone'
const CASES: readonly Case[] = [
  { name: 'plain pods', nodes: NODES, pods: PODS, floor: 680, of: 'SchedulingBasic/5000Nodes_10000Pods' },
  { name: 'plain pods', nodes: PEER_NODES, pods: PEER_PODS, floor: 680, of: 'SchedulingBasic/5000Nodes_10000Pods' },
  {
    name: 'pods spread over zones',
    nodes: NODES,
    pods: PODS,
    spec: { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector: selector }] },
    floor: 460,
    of: 'TopologySpreading/5000Nodes_5000Pods',
  },
]

/**
 * Pods bound a second, from the start of the scheduler, with the API server and its durable store in the same process. The first
 * measures compare with what Kubernetes demands of its own on its machine; the last with the same bindings made without a scheduler.
 */
export async function* run(): AsyncIterable<Measure> {
  let plain = 0
  for (const { name, nodes, pods, spec, floor, of } of CASES) {
    const rate = await inCluster(nodes, async (client) => {
      await addPods(client, pods, spec)
      return schedule(client, pods)
    })
    plain ||= rate
    yield moreIsBetter(`${name}, ${nodes} nodes`, 'pods/s', rate, floor, `peer: floor of kube-scheduler's CI, ${of}, on its own machine`)
  }
  const bare = await inCluster(NODES, async (client) => bindAll(client, await addPods(client, PODS)))
  yield moreIsBetter(
    'plain pods, beside their bindings alone',
    'pods/s',
    plain,
    bare,
    'peer: the same bindings on this API server without a scheduler',
  )
}

async function inCluster<T>(nodes: number, work: (client: Client) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-scheduler-'))
  try {
    await using cluster = await startHollowCluster(dir, nodes)
    return await work(cluster.client)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function schedule(client: Client, pods: number): Promise<number> {
  await using scheduler = createScheduler({ client, clock: systemClock, random: seededRandom(1), logger: silentLogger })
  const watching = deferred<void>()
  const bound = whenBound(client, pods, () => watching.resolve())
  await watching.promise
  const began = performance.now()
  await scheduler.start()
  await bound
  return (pods * 1000) / (performance.now() - began)
}

async function bindAll(client: Client, pods: readonly Pod[]): Promise<number> {
  const began = performance.now()
  await mapLimit(pods, BINDERS, ({ metadata: { name, namespace = '', uid } }, i) => {
    const target = { kind: 'Node', name: `node-${i % NODES}` }
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target }
    return client.create(podKind, binding, { subresource: 'binding' })
  })
  return (pods.length * 1000) / (performance.now() - began)
}
