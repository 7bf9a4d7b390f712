import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { job as jobKind } from '../../api/batch/v1/job.ts'
import type { Job } from '../../api/batch/v1/types.gen.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { fnv1a } from '../../machinery/hash.ts'
import { isControlledBy } from '../../machinery/object.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import type { Behaviour } from '../testing/hollow-nodes.ts'
import { jobOf } from '../testing/objects.ts'
import { isPodActive } from '../workload/pod-state.ts'
import { hasSucceeded, indexOf, TRACKING } from './pod-facts.ts'
import { isFinished } from './finished.ts'

const only = ['job-controller']
const at = { namespace: NAMESPACE, name: 'work' }

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('parallelism' as const), count: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('suspend' as const), held: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete pod' as const), index: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 20 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
  parallelism: fc.integer({ min: 1, max: 4 }),
  completions: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  indexed: fc.boolean(),
  backoffLimit: fc.nat(4),
  perIndex: fc.option(fc.nat(2), { nil: undefined }),
  podReplacementPolicy: fc.constantFrom('Failed' as const, 'TerminatingOrFailed' as const),
  behaviours: fc.array(fc.constantFrom<Behaviour>('succeed', 'succeed', 'fail'), { minLength: 1, maxLength: 7 }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

const hollow = { nodes: 3, startDelay: 2000, stopDelay: 3000 }

function specOf(of: Scenario): Draft<Job['spec']> {
  const { parallelism, backoffLimit, podReplacementPolicy, perIndex } = of
  const completions = of.indexed ? (of.completions ?? 3) : of.completions
  return {
    parallelism,
    podReplacementPolicy,
    ...(completions === undefined ? {} : { completions }),
    ...(of.indexed ? { completionMode: 'Indexed' as const } : {}),
    ...(of.indexed && perIndex !== undefined ? { backoffLimitPerIndex: perIndex } : { backoffLimit }),
  }
}

/** What becomes of a pod follows from its name, so that it stays the same. */
function behave({ nodes }: TestCluster, { behaviours }: Scenario): void {
  nodes.behaviour = ({ metadata }) => behaviours[fnv1a(metadata.name) % behaviours.length] ?? 'ready'
}

async function act(cluster: TestCluster, doing: Step): Promise<void> {
  const { client } = cluster
  const patch = (spec: Draft<Job['spec']>) => client.patch(jobKind, at, { type: 'merge', body: { spec } })
  switch (doing.type) {
    case 'parallelism':
      await patch({ parallelism: doing.count })
      break
    case 'suspend':
      await patch({ suspend: doing.held })
      break
    case 'delete pod': {
      const { items } = await client.list(podKind, { namespace: NAMESPACE })
      const victim = items[doing.index % Math.max(1, items.length)]
      if (victim) await client.delete(podKind, victim.metadata)
      break
    }
    case 'wait':
      await cluster.advance(doing.seconds * 1000)
  }
  await cluster.quiet()
}

/** It ends as its pods did; none is waited for any more, and no success is counted twice or forgotten. */
async function expectEnded(cluster: TestCluster, succeeded: ReadonlyMap<string, Pod>): Promise<void> {
  const { spec, status } = await cluster.client.get(jobKind, at)
  const types = (status.conditions ?? []).filter(({ status: value }) => value === 'True').map(({ type }) => type)
  expect([
    ['SuccessCriteriaMet', 'Complete'],
    ['FailureTarget', 'Failed'],
  ]).toContainEqual(types.filter((type) => type !== 'Suspended'))
  expect(status).toMatchObject({ ready: 0, terminating: 0 })
  expect(status.active).toBeUndefined()
  expect(status.uncountedTerminatedPods ?? {}).toEqual({})
  const indexed = spec.completionMode === 'Indexed'
  const number = (pods: readonly Pod[]) => (indexed ? new Set(pods.map(indexOf)).size : pods.length)
  const seen = [...succeeded.values()]
  expect(status.succeeded ?? 0).toBeLessThanOrEqual(number(seen))
  // A pod that was ended with its failed job is a failure, even if it succeeds at the last moment.
  const certain = types.includes('Complete') ? seen.filter((pod) => pod.metadata.finalizers?.includes(TRACKING)) : []
  expect(status.succeeded ?? 0).toBeGreaterThanOrEqual(number(certain))
  if (types.includes('Complete') && spec.completions !== undefined) expect(status.succeeded).toBe(spec.completions)
  if (types.includes('Failed') && spec.backoffLimitPerIndex === undefined) expect(status.failed).toBeGreaterThan(spec.backoffLimit ?? 6)
  const { items } = await cluster.client.list(podKind, { namespace: NAMESPACE })
  expect(items.filter((pod) => isPodActive(pod) || pod.metadata.finalizers?.includes(TRACKING))).toEqual([])
}

describe('jobs of any kind', () => {
  it('come to the end that their pods bring, never with more pods than they may have, and then are still', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (of) => {
        await using cluster = await startCluster({ only, hollow })
        const { client, clock } = cluster
        behave(cluster, of)
        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const pods = informers.for(podKind)
        const jobs = informers.for(jobKind)
        const violations: string[] = []
        const counted = new Map<string, Pod>()
        await informers.start()
        const made = await client.create(jobKind, jobOf('work', specOf(of)))
        const mine = () => pods.list().filter((pod) => isControlledBy(pod, made))
        pods.on({
          add(pod) {
            const { spec, status } = jobs.get(NAMESPACE, 'work') ?? made
            const active = mine().filter(isPodActive)
            const most = Math.min(spec.parallelism ?? 1, (spec.completions ?? Number.POSITIVE_INFINITY) - (status.succeeded ?? 0))
            if (active.length > most) violations.push(`${active.length} pods, not ${most}`)
            const same = mine().filter((other) => isPodActive(other) && indexOf(other) === indexOf(pod))
            if (spec.completionMode === 'Indexed' && same.length > 1) violations.push(`${same.length} pods of index ${indexOf(pod)}`)
          },
          update(pod, old) {
            if (hasSucceeded(pod) && !hasSucceeded(old)) counted.set(pod.metadata.uid, pod)
          },
        })
        await cluster.quiet()
        for (const doing of of.steps) if (!isFinished(await client.get(jobKind, at))) await act(cluster, doing)
        if (!isFinished(await client.get(jobKind, at))) {
          await act(cluster, { type: 'suspend', held: false })
          await act(cluster, { type: 'parallelism', count: 3 })
        }
        await cluster.advance(4 * 3_600_000)
        await expectEnded(cluster, counted)
        expect(violations).toEqual([])
        expect(cluster.complaints).toEqual([])
        const { length } = cluster.writes
        await cluster.advance(3_600_000)
        expect(cluster.writes).toHaveLength(length)
      }),
      { seed: 3, numRuns: 40, endOnFailure: true },
    )
  }, 120_000)

  it('come to their end also when calls fail, answers are lost and watches break', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(1000), async (of, seed) => {
        const faults: Faults = {}
        await using cluster = await startCluster({ only, hollow, wrap: (client) => faultyClient(client, faults, seededRandom(seed)) })
        const { client, clock } = cluster
        behave(cluster, of)
        await using informers = createInformers(client, { clock, logger: silentLogger, random: seededRandom(2) })
        const counted = new Map<string, Pod>()
        informers.for(podKind).on({
          update(pod, old) {
            if (hasSucceeded(pod) && !hasSucceeded(old)) counted.set(pod.metadata.uid, pod)
          },
        })
        await informers.start()
        Object.assign(faults, { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1, brokenWatches: 0.05 })
        await client.create(jobKind, jobOf('work', specOf(of)))
        await cluster.quiet()
        for (const doing of of.steps) if (!isFinished(await client.get(jobKind, at))) await act(cluster, doing)
        if (!isFinished(await client.get(jobKind, at))) {
          await act(cluster, { type: 'suspend', held: false })
          await act(cluster, { type: 'parallelism', count: 3 })
        }
        await cluster.advance(60_000)
        Object.assign(faults, { unavailable: 0, lostAnswers: 0, conflicts: 0, brokenWatches: 0 })
        await cluster.advance(4 * 3_600_000)
        await expectEnded(cluster, counted)
      }),
      { seed: 12, numRuns: 20, endOnFailure: true },
    )
  }, 120_000)
})
