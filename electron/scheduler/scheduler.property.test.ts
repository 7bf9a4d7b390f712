import fc from 'fast-check'
import { expect, test } from 'vitest'
import { node as nodeKind } from '../api/core/v1/node.ts'
import { pod as podKind } from '../api/core/v1/pod.ts'
import type { Node, Pod } from '../api/core/v1/types.gen.ts'
import { seededRandom } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import { faultyClient, type Faults } from '../client/testing/faulty-client.ts'
import { startCluster, type TestCluster } from './testing/cluster.ts'
import { NAMESPACE } from './testing/objects.ts'

type Step =
  | { type: 'node'; cpu: number; pods: number }
  | { type: 'pod'; cpu: number }
  | { type: 'delete pod'; index: number }
  | { type: 'cordon'; index: number; closed: boolean }
  | { type: 'wait'; seconds: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('node' as const), cpu: fc.integer({ min: 1, max: 6 }), pods: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pod' as const), cpu: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete pod' as const), index: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cordon' as const), index: fc.nat(5), closed: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 12 }) }) },
)

const cpuOf = ({ spec }: Pod) => Number(spec.containers[0]?.resources.requests?.['cpu'])

async function take(cluster: TestCluster, steps: readonly Step[]): Promise<void> {
  const { client } = cluster
  let made = 0
  for (const one of steps) {
    if (one.type === 'node') await cluster.addNode(`node-${made++}`, { cpu: `${one.cpu}`, pods: `${one.pods}` })
    else if (one.type === 'pod') await cluster.addPod(`pod-${made++}`, { requests: { cpu: `${one.cpu}` } })
    else if (one.type === 'wait') await cluster.clock.advance(one.seconds * 1000)
    else if (one.type === 'delete pod') {
      const { items } = await client.list(podKind)
      const victim = items[one.index % Math.max(1, items.length)]
      if (victim) await client.delete(podKind, { namespace: NAMESPACE, name: victim.metadata.name }, { gracePeriodSeconds: 0 })
    } else {
      const { items } = await client.list(nodeKind)
      const node = items[one.index % Math.max(1, items.length)]
      if (node) await client.patch(nodeKind, { name: node.metadata.name }, { type: 'merge', body: { spec: { unschedulable: one.closed } } })
    }
  }
}

/** Throws unless no node has more than it can take, and every pod that waits would fit nowhere. */
async function check(cluster: TestCluster): Promise<void> {
  const { items: nodes } = await cluster.client.list(nodeKind)
  const { items: pods } = await cluster.client.list(podKind)
  const left = new Map<string, { node: Node; cpu: number; pods: number }>()
  for (const node of nodes) {
    const own = pods.filter(({ spec }) => spec.nodeName === node.metadata.name)
    const allocatable = node.status.allocatable ?? {}
    const cpu = Number(allocatable['cpu']) - own.reduce((sum, pod) => sum + cpuOf(pod), 0)
    left.set(node.metadata.name, { node, cpu, pods: Number(allocatable['pods']) - own.length })
  }
  for (const { cpu, pods: room } of left.values()) expect(Math.min(cpu, room)).toBeGreaterThanOrEqual(0)
  for (const pod of pods.filter(({ spec }) => !spec.nodeName)) {
    const fitting = [...left.values()].filter(({ node, cpu, pods: room }) => !node.spec.unschedulable && room > 0 && cpu >= cpuOf(pod))
    expect(fitting.map(({ node }) => node.metadata.name)).toEqual([])
    expect(pod.status.conditions?.find(({ type }) => type === 'PodScheduled')).toMatchObject({ reason: 'Unschedulable' })
  }
}

const traffic = fc.array(step, { minLength: 4, maxLength: 40 })

test('no node gets more than it has, and no pod waits that would fit', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, fc.integer(), async (steps, seed) => {
      await using cluster = await startCluster({ seed })
      await take(cluster, steps)
      // Longer than any back-off.
      await cluster.advance(11_000)
      await check(cluster)
      expect(cluster.complaints).toEqual([])
    }),
    { seed: 1, numRuns: 40, endOnFailure: true },
  )
}, 60_000)

test('so it is, too, when calls fail, answers get lost and watches break', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, fc.integer(), async (steps, seed) => {
      const faults: Faults = {}
      const wrap = (client: Client) => faultyClient(client, faults, seededRandom(seed))
      await using cluster = await startCluster({ seed, wrap })
      Object.assign(faults, { unavailable: 0.15, lostAnswers: 0.15, brokenWatches: 0.1 })
      await take(cluster, steps)
      await cluster.advance(20_000)
      Object.assign(faults, { unavailable: 0, lostAnswers: 0, brokenWatches: 0 })
      // Longer than the informers, the back-off and the look after lost bindings need.
      await cluster.advance(90_000)
      await check(cluster)
    }),
    { seed: 1, numRuns: 20, endOnFailure: true },
  )
}, 60_000)
