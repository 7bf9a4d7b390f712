import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { daemonSet } from '../../api/apps/v1/daemon-set.ts'
import type { DaemonSet } from '../../api/apps/v1/types.gen.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { daemonSetOf, template } from '../testing/objects.ts'
import { isPodActive } from '../workload/pod-state.ts'
import { targetNode } from './pod-template.ts'

const only = ['daemonset-controller']
const NODES = 4
const log = { namespace: NAMESPACE, name: 'log' }

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('image' as const), version: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('label' as const), node: fc.nat(NODES - 1), chosen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reserve' as const), node: fc.nat(NODES - 1), reserved: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('delete pod' as const), index: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('break' as const), version: fc.integer({ min: 1, max: 3 }), broken: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 10 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 14 }),
  rollingUpdate: fc.constantFrom(
    { maxSurge: 0, maxUnavailable: 1 },
    { maxSurge: 0, maxUnavailable: '50%' },
    { maxSurge: 1, maxUnavailable: 0 },
    { maxSurge: '50%', maxUnavailable: 0 },
  ),
  minReadySeconds: fc.constantFrom(0, 0, 4),
})

const versionOf = ({ spec }: Pod) => Number(spec.containers[0]?.image?.split(':')[1])
const podTemplate = (version: number) => {
  const { metadata, spec } = template({ app: 'log' }, `app:${version}`)
  return { metadata, spec: { ...spec, nodeSelector: { chosen: 'true' } } }
}

async function act(cluster: TestCluster, doing: Step, broken: Set<number>): Promise<void> {
  const { client } = cluster
  const node = { name: 'node' in doing ? `node-${doing.node}` : '' }
  switch (doing.type) {
    case 'image':
      await client.patch(daemonSet, log, { type: 'merge', body: { spec: { template: podTemplate(doing.version) } } })
      break
    case 'label':
      await client.patch(nodeKind, node, { type: 'merge', body: { metadata: { labels: { chosen: String(doing.chosen) } } } })
      break
    case 'reserve': {
      const taints = doing.reserved ? [{ key: 'example.com/reserved', effect: 'NoSchedule' }] : []
      await client.patch(nodeKind, node, { type: 'merge', body: { spec: { taints } } })
      break
    }
    case 'delete pod': {
      const { items } = await client.list(podKind, { namespace: NAMESPACE })
      const victim = items[doing.index % Math.max(1, items.length)]
      if (victim) await client.delete(podKind, victim.metadata)
      break
    }
    case 'break':
      if (doing.broken) broken.add(doing.version)
      else broken.delete(doing.version)
      cluster.nodes.refresh()
      break
    case 'wait':
      await cluster.advance(doing.seconds * 1000)
  }
  await cluster.quiet()
}

/** One pod of the present template on each chosen node, none that is in the way elsewhere. */
async function expectAsDeclared(cluster: TestCluster): Promise<void> {
  const { client } = cluster
  const set = await client.get(daemonSet, log)
  const chosen = (await client.list(nodeKind)).items.filter(({ metadata }) => metadata.labels?.['chosen'] === 'true')
  const open = chosen.filter(({ spec }) => !spec.taints?.length).map(({ metadata }) => metadata.name)
  const pods = (await client.list(podKind, { namespace: NAMESPACE })).items
  const there = pods.map(targetNode).sort((a, b) => (a < b ? -1 : 1))
  expect(new Set(there).size).toBe(there.length)
  expect(there.filter((name) => open.includes(name))).toEqual(open)
  expect(there.every((name) => chosen.some(({ metadata }) => metadata.name === name))).toBe(true)
  const image = set.spec.template.spec.containers[0]?.image
  for (const pod of pods) if (open.includes(targetNode(pod))) expect(pod.spec.containers[0]?.image).toBe(image)
  expect(set.status).toMatchObject({
    desiredNumberScheduled: open.length,
    currentNumberScheduled: open.length,
    numberMisscheduled: there.length - open.length,
    observedGeneration: set.metadata.generation,
  })
  expect(set.status.numberAvailable ?? 0).toBe(open.length)
}

const create = ({ client }: TestCluster, rollingUpdate: DaemonSet['spec']['updateStrategy']['rollingUpdate'], minReadySeconds = 0) =>
  client.create(
    daemonSet,
    daemonSetOf('log', {
      template: podTemplate(1),
      minReadySeconds,
      updateStrategy: { type: 'RollingUpdate', ...(rollingUpdate ? { rollingUpdate } : {}) },
    }),
  )

const hollow = { nodes: NODES, startDelay: 1000, stopDelay: 2000, untaint: true, labels: () => ({ chosen: 'true' }) }

describe('daemons of any kind', () => {
  it('settle to one on each node, never more than the strategy allows on the way, and then are still', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps, rollingUpdate, minReadySeconds }) => {
        await using cluster = await startCluster({ only, hollow })
        const { client, clock, nodes } = cluster
        const broken = new Set<number>()
        nodes.behaviour = (pod) => (broken.has(versionOf(pod)) ? 'unready' : 'ready')
        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const pods = informers.for(podKind)
        const violations: string[] = []
        const most = rollingUpdate.maxSurge === 0 ? 1 : 2
        pods.on({
          add(pod) {
            const node = targetNode(pod)
            const count = pods.list().filter((one) => isPodActive(one) && targetNode(one) === node).length
            if (count > most) violations.push(`${count} pods on ${node}`)
            const ending = pods.list().some((one) => isBeingDeleted(one) && targetNode(one) === node)
            if (ending && most === 1) violations.push(`a new pod on ${node} before the old one had ended`)
          },
        })
        await informers.start()
        await create(cluster, rollingUpdate, minReadySeconds)
        for (const doing of steps) await act(cluster, doing, broken)
        broken.clear()
        nodes.refresh()
        await cluster.advance(120_000)
        await expectAsDeclared(cluster)
        expect(violations).toEqual([])
        expect(cluster.complaints).toEqual([])
        const { length } = cluster.writes
        await cluster.advance(3_600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 3, numRuns: 40, endOnFailure: true },
    )
  }, 60_000)

  it('settle also when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(1000), async ({ steps, rollingUpdate }, seed) => {
        const faults: Faults = {}
        await using cluster = await startCluster({ only, hollow, wrap: (client) => faultyClient(client, faults, seededRandom(seed)) })
        const broken = new Set<number>()
        cluster.nodes.behaviour = (pod) => (broken.has(versionOf(pod)) ? 'unready' : 'ready')
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        await create(cluster, rollingUpdate)
        for (const doing of steps) await act(cluster, doing, broken)
        broken.clear()
        cluster.nodes.refresh()
        await cluster.advance(30_000)
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await cluster.advance(900_000)
        await expectAsDeclared(cluster)
      }),
      { seed: 12, numRuns: 20, endOnFailure: true },
    )
  }, 60_000)
})
