import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statefulSet } from '../../api/apps/v1/stateful-set.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { statefulSetOf, template } from '../testing/objects.ts'
import { isPodReady } from '../workload/pod-state.ts'

const only = ['statefulset-controller']
const db = { namespace: NAMESPACE, name: 'db' }

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('image' as const), version: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('scale' as const), replicas: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('start' as const), ordinal: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete pod' as const), index: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end pod' as const), index: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 10 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
  replicas: fc.nat(4),
  podManagementPolicy: fc.constantFrom('OrderedReady' as const, 'Parallel' as const),
  rollingUpdate: fc.record({ partition: fc.nat(2), maxUnavailable: fc.constantFrom<number | string>(1, 2, '50%') }),
  minReadySeconds: fc.constantFrom(0, 0, 3),
})

const versionOf = ({ spec }: Pod) => Number(spec.containers[0]?.image?.split(':')[1])
const number = ({ metadata }: Pod) => Number(metadata.name.split('-').at(-1))

async function act(cluster: TestCluster, doing: Step): Promise<void> {
  const { client } = cluster
  const patch = (spec: unknown) => client.patch(statefulSet, db, { type: 'merge', body: { spec } })
  const pick = async (index: number) => {
    const { items } = await client.list(podKind, { namespace: NAMESPACE })
    return items[index % Math.max(1, items.length)]
  }
  switch (doing.type) {
    case 'image':
      await patch({ template: template({ app: 'db' }, `app:${doing.version}`) })
      break
    case 'scale':
      await patch({ replicas: doing.replicas })
      break
    case 'start':
      await patch({ ordinals: { start: doing.ordinal } })
      break
    case 'delete pod': {
      const victim = await pick(doing.index)
      if (victim) await client.delete(podKind, victim.metadata)
      break
    }
    case 'end pod': {
      const victim = await pick(doing.index)
      const body = { status: { phase: 'Failed' } }
      if (victim) await client.patch(podKind, victim.metadata, { type: 'merge', body }, { subresource: 'status' })
      break
    }
    case 'wait':
      await cluster.advance(doing.seconds * 1000)
  }
  await cluster.quiet()
}

/** One ready pod of each number, of the present template from the partition on. */
async function expectAsDeclared({ client }: TestCluster): Promise<void> {
  const { spec, status, metadata } = await client.get(statefulSet, db)
  const first = spec.ordinals?.start ?? 0
  const replicas = spec.replicas ?? 1
  const pods = [...(await client.list(podKind, { namespace: NAMESPACE })).items].sort((a, b) => number(a) - number(b))
  expect(pods.map(number)).toEqual(Array.from({ length: replicas }, (_, i) => first + i))
  expect(pods.every((pod) => isPodReady(pod) && !isBeingDeleted(pod))).toBe(true)
  const version = Number(spec.template.spec.containers[0]?.image?.split(':')[1])
  const { partition = 0 } = spec.updateStrategy.rollingUpdate ?? {}
  for (const pod of pods) if (number(pod) - first >= partition) expect(versionOf(pod)).toBe(version)
  expect(status).toMatchObject({ replicas, availableReplicas: replicas, observedGeneration: metadata.generation })
  expect(status.readyReplicas ?? 0).toBe(replicas)
}

const create = ({ client }: TestCluster, { replicas, podManagementPolicy, rollingUpdate, minReadySeconds }: Scenario) =>
  client.create(
    statefulSet,
    statefulSetOf('db', { replicas, podManagementPolicy, minReadySeconds, updateStrategy: { type: 'RollingUpdate', rollingUpdate } }),
  )
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

const hollow = { nodes: 3, startDelay: 1000, stopDelay: 2000 }

describe('stateful sets of any kind', () => {
  it('settle to one pod of each number, in their order on the way, and then are still', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (of) => {
        await using cluster = await startCluster({ only, hollow })
        const { client, clock } = cluster
        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const pods = informers.for(podKind)
        const violations: string[] = []
        pods.on({
          add(pod) {
            if (of.podManagementPolicy === 'Parallel') return
            const before = pods.list().filter((other) => number(other) >= first && number(other) < number(pod))
            if (!before.every((other) => isPodReady(other))) violations.push(`${pod.metadata.name} before those before it were ready`)
          },
          update(pod, old) {
            if (of.podManagementPolicy === 'Parallel' || !isBeingDeleted(pod) || isBeingDeleted(old)) return
            const ending = pods.list().filter(isBeingDeleted)
            if (ending.length > allowed) violations.push(`${ending.length} pods end at a time`)
          },
        })
        let first = 0
        let allowed = of.rollingUpdate.maxUnavailable === 1 ? 1 : 2
        await informers.start()
        await create(cluster, of)
        for (const doing of of.steps) {
          if (doing.type === 'start') first = doing.ordinal
          // What somebody else ends comes on top.
          if (doing.type === 'delete pod' || doing.type === 'end pod') allowed++
          await act(cluster, doing)
        }
        await cluster.advance(300_000)
        await expectAsDeclared(cluster)
        expect(violations).toEqual([])
        expect(cluster.complaints).toEqual([])
        const { length } = cluster.writes
        await cluster.advance(3_600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 3, numRuns: 40, endOnFailure: true },
    )
  }, 120_000)

  it('settle also when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(1000), async (of, seed) => {
        const faults: Faults = {}
        await using cluster = await startCluster({ only, hollow, wrap: (client) => faultyClient(client, faults, seededRandom(seed)) })
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        await create(cluster, of)
        for (const doing of of.steps) await act(cluster, doing)
        await cluster.advance(30_000)
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await cluster.advance(900_000)
        await expectAsDeclared(cluster)
      }),
      { seed: 12, numRuns: 20, endOnFailure: true },
    )
  }, 120_000)
})
