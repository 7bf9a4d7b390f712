import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { deferred } from '../../electron/base/async.ts'
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
 * Pods bound a second, from the start of the scheduler until the last is on its node, with the API server and its durable store in the
 * same process; beside what Kubernetes' CI demands of its own, which has a process and a machine to itself.
 */
export async function* run(): AsyncIterable<Measure> {
  for (const { name, nodes, pods, spec, floor, of } of CASES) {
    const rate = await inCluster(nodes, async (client) => {
      await addPods(client, pods, spec)
      return schedule(client, pods)
    })
    yield moreIsBetter(`${name}, ${nodes} nodes`, 'pods/s', rate, floor, `peer: floor of kube-scheduler's CI, ${of}, on its own machine`)
  }
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
