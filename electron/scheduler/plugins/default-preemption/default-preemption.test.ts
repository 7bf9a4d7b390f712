import { describe, expect, it } from 'vitest'
import { pod as podKind } from '../../../api/core/v1/pod.ts'
import type { PodDisruptionBudget } from '../../../api/policy/v1/types.gen.ts'
import { priorityClass } from '../../../api/scheduling/v1/priority-class.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { startCluster, type TestCluster } from '../../testing/cluster.ts'
import { nodeOf, podOf, type PodOptions } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeResourcesFit } from '../node-resources-fit/node-resources-fit.ts'
import { bestCandidate, candidate as candidateOn, type Candidate } from './ranks.ts'
import { selectVictims } from './victims.ts'

const weighing = (name: string, priority: number, cpu: string, options: PodOptions & { on?: string } = {}) =>
  podOf(name, { requests: { cpu }, ...options, spec: { priority } })

describe('selectVictims', () => {
  const choose = (pods: ReturnType<typeof podOf>[], pod: ReturnType<typeof podOf>, budgets: PodDisruptionBudget[] = []) => {
    const { framework, handle, snapshot } = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { cpu: '4' })], pods })
    const info = new PodInfo(pod)
    const attempt = framework.begin(snapshot)
    framework.preFilter(attempt, info)
    const node = snapshot.node('a')?.copy()
    if (!node) throw new Error('the world lacks its node')
    const victims = selectVictims(handle, attempt, info, node, budgets)
    return 'code' in victims
      ? victims.reasons
      : { names: victims.pods.map((each) => each.pod.metadata.name), violations: victims.violations }
  }

  it('takes as few and as unimportant ones as it can', () => {
    const pods = [weighing('one', 1, '2', { on: 'a' }), weighing('two', 2, '1', { on: 'a' }), weighing('three', 3, '1', { on: 'a' })]
    expect(choose(pods, weighing('web', 10, '2'))).toEqual({ names: ['one'], violations: 0 })
    expect(choose(pods, weighing('web', 10, '3'))).toEqual({ names: ['two', 'one'], violations: 0 })
  })

  it('finds none where all are as important, or where it would not help', () => {
    expect(choose([weighing('one', 10, '4', { on: 'a' })], weighing('web', 10, '2'))).toEqual([
      'No preemption victims found for incoming pod',
    ])
    const pods = [weighing('one', 1, '1', { on: 'a' }), weighing('rock', 20, '3', { on: 'a' })]
    expect(choose(pods, weighing('web', 10, '2'))).toEqual(['Insufficient cpu'])
  })

  it('spares pods that a disruption budget protects, if others do', () => {
    const pods = [weighing('held', 1, '2', { on: 'a', labels: { app: 'held' } }), weighing('free', 2, '2', { on: 'a' })]
    const budget = {
      metadata: { name: 'b', namespace: 'test' },
      spec: { selector: { matchLabels: { app: 'held' } } },
      status: { disruptionsAllowed: 0 },
    } as unknown as PodDisruptionBudget
    expect(choose(pods, weighing('web', 10, '2'), [budget])).toEqual({ names: ['free'], violations: 0 })
    expect(choose(pods, weighing('web', 10, '4'), [budget])).toEqual({ names: ['free', 'held'], violations: 1 })
  })
})

describe('bestCandidate', () => {
  const candidate = (node: string, violations: number, ...priorities: number[]): Candidate => {
    const pods = priorities.map((priority, i) => new PodInfo(weighing(`${node}-${i}`, priority, '1')))
    return candidateOn(node, { violations, pods })
  }
  const best = (...candidates: Candidate[]) => bestCandidate(candidates)?.node

  it.each<[string, Candidate[], string]>([
    ['breaks the fewest budgets', [candidate('a', 1, 1), candidate('b', 0, 9)], 'b'],
    ['has the least important most important victim', [candidate('a', 0, 5), candidate('b', 0, 4, 4)], 'b'],
    ['has the smallest sum of priorities', [candidate('a', 0, 5, 4), candidate('b', 0, 5, 1)], 'b'],
    ['has the fewest victims', [candidate('a', 0, 5, -(2 ** 31)), candidate('b', 0, 5)], 'b'],
    ['comes first', [candidate('a', 0, 5), candidate('b', 0, 5)], 'a'],
  ])('is the one that %s', (_name, candidates, node) => {
    expect(best(...candidates)).toBe(node)
  })

  it('is none of none', () => {
    expect(best()).toBeUndefined()
  })
})

describe('DefaultPreemption', () => {
  const CRITICAL = { priorityClassName: 'system-cluster-critical' }
  const full = async (cluster: TestCluster) => {
    await cluster.addNode('only', { cpu: '2' })
    await cluster.addPod('low', { requests: { cpu: '2' } })
    await cluster.quiet()
  }

  it('promises the node to the pod, and keeps it from less important ones until the victims are gone', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only', { cpu: '3' })
    await cluster.addPod('low', { requests: { cpu: '2' } })
    await cluster.quiet()
    await cluster.addPod('high', { requests: { cpu: '3' }, spec: CRITICAL })
    await cluster.quiet()
    const high = await cluster.pod('high')
    expect(high.status.nominatedNodeName).toBe('only')
    expect(await cluster.scheduled('high')).toMatchObject({ status: 'False', reason: 'Unschedulable' })
    const low = await cluster.pod('low')
    expect(low.metadata.deletionTimestamp).toBeDefined()
    expect(low.status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', reason: 'PreemptionByScheduler' }))
    // There is room for it, but that was promised.
    await cluster.addPod('thief', { requests: { cpu: '1' } })
    await cluster.quiet()
    expect(await cluster.nodeOf('thief')).toBe('')
    await cluster.client.delete(podKind, { namespace: 'test', name: 'low' }, { gracePeriodSeconds: 0 })
    await cluster.advance(2000)
    expect([await cluster.nodeOf('high'), await cluster.nodeOf('thief')]).toEqual(['only', ''])
  })

  it('displaces nobody for a pod that never preempts', async () => {
    await using cluster = await startCluster()
    await full(cluster)
    const polite = { metadata: { name: 'polite' }, value: 1000, preemptionPolicy: 'Never' } as const
    await cluster.client.create(priorityClass, polite)
    await cluster.addPod('high', { requests: { cpu: '2' }, spec: { priorityClassName: 'polite' } })
    await cluster.quiet()
    expect((await cluster.pod('low')).metadata.deletionTimestamp).toBeUndefined()
    expect(await cluster.scheduled('high')).toMatchObject({
      message: '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    })
  })
})
