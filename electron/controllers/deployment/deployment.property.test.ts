import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deployment } from '../../api/apps/v1/deployment.ts'
import { replicaSet } from '../../api/apps/v1/replica-set.ts'
import type { Deployment } from '../../api/apps/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import type { Behaviour } from '../testing/hollow-nodes.ts'
import { deploymentOf, template } from '../testing/objects.ts'
import { isPodActive, isPodAvailable, readyCondition } from '../workload/pod-state.ts'
import { maxSurge, maxUnavailable, replicasOf } from './fenceposts.ts'

const only = ['deployment-controller', 'replicaset-controller']
const web = { namespace: NAMESPACE, name: 'web' }

type Step =
  | { type: 'scale'; replicas: number }
  | { type: 'image'; version: number }
  | { type: 'pause'; paused: boolean }
  | { type: 'wait'; seconds: number }
  | { type: 'delete pod'; index: number }
  | { type: 'behave'; behaviour: Behaviour; version: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('image' as const), version: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pause' as const), paused: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete pod' as const), index: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('behave' as const),
      behaviour: fc.constantFrom<Behaviour>('ready', 'unready', 'pending'),
      version: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

const share = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('25%', '50%', '100%'))

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 14 }),
  replicas: fc.integer({ min: 1, max: 10 }),
  rollingUpdate: fc.record({ maxSurge: share, maxUnavailable: share }).filter((both) => both.maxSurge !== 0 || both.maxUnavailable !== 0),
  minReadySeconds: fc.constantFrom(0, 0, 5),
  deleteDelay: fc.constantFrom(0, 300, 2500),
})

const versionOf = (pod: Pod) => Number(pod.spec.containers[0]?.image?.split(':')[1])

/** Deletions take a while, so that the controllers of ReplicaSets lag behind that of the Deployment. */
function slowToDelete(client: Client, clock: Clock, ms: number): Client {
  return {
    get: (kind, at, options) => client.get(kind, at, options),
    list: (kind, options) => client.list(kind, options),
    watch: (kind, options) => client.watch(kind, options),
    create: (kind, object, options) => client.create(kind, object, options),
    update: (kind, object, options) => client.update(kind, object, options),
    patch: (kind, at, patch, options) => client.patch(kind, at, patch, options),
    async delete(kind, at, options) {
      if (ms > 0) await sleep(clock, ms)
      return client.delete(kind, at, options)
    },
    deleteCollection: (kind, options) => client.deleteCollection(kind, options),
    request: (request) => client.request(request),
    websocket: (request) => client.websocket(request),
  }
}

async function act(cluster: TestCluster, doing: Step, behaviours: Map<number, Behaviour>): Promise<void> {
  const { client } = cluster
  const patch = (spec: unknown) => client.patch(deployment, web, { type: 'merge', body: { spec } })
  switch (doing.type) {
    case 'scale':
      await patch({ replicas: doing.replicas })
      break
    case 'image':
      await patch({ template: template({ app: 'web' }, `app:${doing.version}`) })
      break
    case 'pause':
      await patch({ paused: doing.paused })
      break
    case 'wait':
      await cluster.advance(doing.seconds * 1000)
      break
    case 'delete pod': {
      const { items } = await client.list(podKind, { namespace: NAMESPACE })
      const victim = items[doing.index % Math.max(1, items.length)]
      if (victim) await client.delete(podKind, victim.metadata)
      break
    }
    case 'behave':
      behaviours.set(doing.version, doing.behaviour)
      cluster.nodes.refresh()
  }
  await cluster.quiet()
}

function isSettled(declared: Deployment | undefined, pods: readonly Pod[]): boolean {
  if (!declared) return false
  const { status, metadata } = declared
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas, pods.length].map((count) => count ?? 0)
  return status.observedGeneration === metadata.generation && counts.every((count) => count === replicasOf(declared))
}

/** Lets all pods be well, and time pass. */
async function settle(cluster: TestCluster, behaviours: Map<number, Behaviour>): Promise<Deployment> {
  behaviours.clear()
  cluster.nodes.refresh()
  await cluster.client.patch(deployment, web, { type: 'merge', body: { spec: { paused: false } } })
  await cluster.advance(400_000)
  return cluster.client.get(deployment, web)
}

async function expectAsDeclared(cluster: TestCluster, { spec, status, metadata }: Deployment): Promise<void> {
  const replicas = spec.replicas ?? 1
  const wanted = spec.template.spec.containers[0]?.image
  const pods = (await cluster.client.list(podKind, { namespace: NAMESPACE })).items
  expect(pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(Array.from({ length: replicas }, () => wanted))
  expect(status.availableReplicas ?? 0).toBe(replicas)
  expect(status.updatedReplicas ?? 0).toBe(replicas)
  expect(status.observedGeneration).toBe(metadata.generation)
  const sets = (await cluster.client.list(replicaSet, { namespace: NAMESPACE })).items
  expect(sets.filter((set) => (set.spec.replicas ?? 0) > 0).length).toBeLessThanOrEqual(1)
}

describe('rollouts of any kind', () => {
  it('settle to what is declared, within surge and unavailability on the way, and then are still', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps, replicas, rollingUpdate, minReadySeconds, deleteDelay }) => {
        const clock = new FakeClock()
        await using cluster = await startCluster({
          only,
          hollow: { nodes: 2, startDelay: 2000, stopDelay: 3000 },
          server: { clock },
          wrap: (inner) => slowToDelete(inner, clock, deleteDelay),
        })
        const { client, nodes } = cluster
        const behaviours = new Map<number, Behaviour>()
        nodes.behaviour = (pod) => behaviours.get(versionOf(pod)) ?? 'ready'

        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const pods = informers.for(podKind)
        const deployments = informers.for(deployment)
        const violations: string[] = []
        let created = 0
        /** Sizes shrink in proportion then, whatever is available. */
        let shrinking = false
        /** Deletions that were decided before something else happened may be carried out after it. */
        let disturbed = false
        /** Gone by the hand of the test. */
        let mine = false
        const current = () => deployments.get(NAMESPACE, 'web')
        /** And not only since this very moment, which who deletes cannot have known. */
        const wasAvailable = (pod: Pod, seconds: number) =>
          isPodAvailable(pod, seconds, clock.now()) && Date.parse(readyCondition(pod)?.lastTransitionTime ?? '') < clock.now() - 1000
        pods.on({
          add() {
            created++
            const declared = current()
            const active = pods.list().filter(isPodActive).length
            const limit = declared ? replicasOf(declared) + maxSurge(declared) : 0
            if (declared && !shrinking && active > limit) violations.push(`${active} pods, at most ${limit}`)
          },
          update(pod, old) {
            const declared = current()
            const seconds = declared?.spec.minReadySeconds ?? 0
            if (!declared || mine || disturbed || isPodActive(pod) || !isPodActive(old) || !wasAvailable(old, seconds)) return
            const available = pods.list().filter((one) => isPodActive(one) && isPodAvailable(one, seconds, clock.now())).length
            const fewest = replicasOf(declared) - maxUnavailable(declared)
            if (available < fewest) violations.push(`${available} available, at least ${fewest}`)
          },
        })
        await informers.start()
        await client.create(
          deployment,
          deploymentOf('web', { replicas, minReadySeconds, strategy: { type: 'RollingUpdate', rollingUpdate } }),
        )
        await cluster.quiet()
        for (const doing of steps) {
          const before = current()
          if (doing.type === 'scale' || (deleteDelay > 0 && ['delete pod', 'behave'].includes(doing.type))) disturbed = true
          if (doing.type === 'scale' && before && doing.replicas < replicasOf(before)) shrinking = true
          mine = doing.type === 'delete pod'
          await act(cluster, doing, behaviours)
          mine = false
          if (isSettled(current(), pods.list())) shrinking = disturbed = false
        }
        await expectAsDeclared(cluster, await settle(cluster, behaviours))
        expect(violations).toEqual([])
        expect(cluster.complaints).toEqual([])
        expect(cluster.writes.length).toBeLessThan(30 + 20 * steps.length + 8 * created)
        const before = cluster.writes.length
        await cluster.advance(3_600_000)
        expect(cluster.writes.length).toBe(before)
      }),
      { seed: 7, numRuns: 60, endOnFailure: true },
    )
  }, 120_000)

  it('settle also when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(1000), async ({ steps, replicas, rollingUpdate }, seed) => {
        const faults: Faults = {}
        await using cluster = await startCluster({
          only,
          hollow: { nodes: 2, startDelay: 2000 },
          wrap: (client) => faultyClient(client, faults, seededRandom(seed)),
        })
        const behaviours = new Map<number, Behaviour>()
        cluster.nodes.behaviour = (pod) => behaviours.get(versionOf(pod)) ?? 'ready'
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        await cluster.client.create(deployment, deploymentOf('web', { replicas, strategy: { type: 'RollingUpdate', rollingUpdate } }))
        for (const doing of steps) await act(cluster, doing, behaviours)
        await cluster.advance(30_000)
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await expectAsDeclared(cluster, await settle(cluster, behaviours))
      }),
      { seed: 11, numRuns: 20, endOnFailure: true },
    )
  }, 120_000)
})
