import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import { endpointSlice } from '../../api/discovery/v1/endpoint-slice.ts'
import { seededRandom } from '../../base/random.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { hasReason } from '../../machinery/status.ts'
import { isPodReady } from '../workload/pod-state.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const web = { namespace: NAMESPACE, name: 'web' }

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('create' as const), pod: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), pod: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('relabel' as const), pod: fc.nat(8), app: fc.constantFrom('web', 'other') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('lame' as const), pod: fc.nat(8), lame: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('port' as const), port: fc.constantFrom(80, 81) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 8 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function act(cluster: TestCluster, doing: Step, lame: Set<string>): Promise<void> {
  const { client } = cluster
  const at = { namespace: NAMESPACE, name: 'pod' in doing ? `p-${doing.pod}` : '' }
  try {
    switch (doing.type) {
      case 'create':
        await client.create(podKind, { ...template({}), metadata: { ...at, labels: { app: 'web' } } })
        break
      case 'delete':
        await client.delete(podKind, at)
        break
      case 'relabel':
        await client.patch(podKind, at, { type: 'merge', body: { metadata: { labels: { app: doing.app } } } })
        break
      case 'lame':
        if (doing.lame) lame.add(at.name)
        else lame.delete(at.name)
        cluster.nodes.refresh()
        break
      case 'port':
        await client.patch(serviceKind, web, { type: 'merge', body: { spec: { ports: [{ port: 80, targetPort: doing.port }] } } })
        break
      case 'wait':
        await cluster.advance(doing.seconds * 1000)
    }
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'AlreadyExists')) throw error
  }
}

async function expectTrue({ client }: TestCluster): Promise<void> {
  const { items: pods } = await client.list(podKind, { namespace: NAMESPACE, labelSelector: 'app=web' })
  const { items: slices } = await client.list(endpointSlice, { namespace: NAMESPACE })
  const { spec } = await client.get(serviceKind, web)
  const told = slices.flatMap(({ endpoints = [], ports }) =>
    endpoints.map(({ addresses, conditions, targetRef }) => [targetRef?.uid, addresses, conditions.ready, ports?.[0]?.port]),
  )
  const real = pods.map((pod) => [pod.metadata.uid, [pod.status.podIP], isPodReady(pod), spec.ports?.[0]?.targetPort])
  const inOrder = (list: unknown[][]) => list.map((one) => JSON.stringify(one)).sort()
  expect(inOrder(told)).toEqual(inOrder(real))
  expect(slices).toHaveLength(1)
}

describe('the slices of a service', () => {
  it('come to tell the truth whatever happens, also when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), fc.nat(1000), async (steps, seed) => {
        const faults: Faults = {}
        const lame = new Set<string>()
        await using cluster = await startCluster({
          only: ['endpointslice-controller'],
          hollow: { nodes: 2, stopDelay: 3000 },
          wrap: (client) => faultyClient(client, faults, seededRandom(seed)),
        })
        cluster.nodes.behaviour = ({ metadata }) => (lame.has(metadata.name) ? 'unready' : 'ready')
        await cluster.client.create(serviceKind, {
          metadata: web,
          spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 80 }] },
        })
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        for (const doing of steps) await act(cluster, doing, lame)
        await cluster.quiet()
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await cluster.advance(400_000)
        await expectTrue(cluster)
        const { length } = cluster.writes
        await cluster.advance(3_600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 6, numRuns: 30, endOnFailure: true },
    )
  }, 60_000)
})
