import { describe, expect, it } from 'vitest'
import type { Service, TopologySpreadConstraint } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { podTopologySpread } from './pod-topology-spread.ts'

const NAME = 'PodTopologySpread'
const ZONE = 'topology.kubernetes.io/zone'
const NO = "node(s) didn't match pod topology spread constraints"
const NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"
const LABELS = { app: 'web' }
const inZone = (name: string, zone: string, labels: Record<string, string> = {}) => nodeOf(name, { labels: { [ZONE]: zone, ...labels } })
const NODES = [inZone('a1', 'a'), inZone('a2', 'a'), inZone('b1', 'b')]
const on = (...nodes: string[]) => nodes.map((node, i) => podOf(`web-${i}`, { on: node, labels: LABELS }))
const constraint = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({
  topologyKey: ZONE,
  maxSkew: 1,
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: LABELS },
  ...more,
})
const spread = (...topologySpreadConstraints: TopologySpreadConstraint[]) =>
  podOf('web', { labels: LABELS, spec: { topologySpreadConstraints } })

describe('PodTopologySpread', () => {
  it('refuses a domain that would have too many more than the one with the fewest', () => {
    const world = pluginWorld([podTopologySpread], { nodes: NODES, pods: on('a1', 'a2', 'b1') })
    expect(world.reasons(spread(constraint()))).toEqual({ a1: NO, a2: NO, b1: '' })
    expect(world.reasons(spread(constraint({ maxSkew: 2 })))).toEqual({ a1: '', a2: '', b1: '' })
    expect(world.statuses(spread(constraint()))['a1']).toMatchObject({
      code: 'Unschedulable',
      evidence: [{ type: 'topologySpread', topologyKey: ZONE, domain: 'a', maxSkew: 1, skew: 2, matching: 2, fewest: 1 }],
    })
  })

  it('refuses a node without the label, whatever leaves', () => {
    const world = pluginWorld([podTopologySpread], { nodes: [...NODES, nodeOf('bare')] })
    expect(world.reasons(spread(constraint()))['bare']).toBe(NO_LABEL)
    expect(world.statuses(spread(constraint()))['bare']?.code).toBe('UnschedulableAndUnresolvable')
  })

  it('takes the fewest as none while there are fewer domains than asked for', () => {
    const world = pluginWorld([podTopologySpread], { nodes: NODES, pods: on('a1', 'b1') })
    expect(world.reasons(spread(constraint({ minDomains: 2 })))).toEqual({ a1: '', a2: '', b1: '' })
    expect(world.reasons(spread(constraint({ minDomains: 3 })))).toEqual({ a1: NO, a2: NO, b1: NO })
  })

  it('leaves out domains that the pod does not ask for, unless told to count them', () => {
    const nodes = [inZone('a1', 'a', { disk: 'ssd' }), inZone('b1', 'b', { disk: 'ssd' }), inZone('c1', 'c')]
    const world = pluginWorld([podTopologySpread], { nodes, pods: on('a1', 'b1') })
    const pod = (nodeAffinityPolicy: 'Honor' | 'Ignore') => ({
      ...spread(constraint({ nodeAffinityPolicy })),
      spec: { ...spread(constraint({ nodeAffinityPolicy })).spec, nodeSelector: { disk: 'ssd' } },
    })
    expect(world.reasons(pod('Honor'))['a1']).toBe('')
    expect(world.reasons(pod('Ignore'))['a1']).toBe(NO)
  })

  it('counts tainted domains, unless told to leave them out', () => {
    const tainted = nodeOf('c1', { labels: { [ZONE]: 'c' }, taints: [{ key: 'x', effect: 'NoSchedule' }] })
    const world = pluginWorld([podTopologySpread], { nodes: [...NODES, tainted], pods: on('a1', 'b1') })
    expect(world.reasons(spread(constraint()))['a1']).toBe(NO)
    expect(world.reasons(spread(constraint({ nodeTaintsPolicy: 'Honor' })))['a1']).toBe('')
  })

  it('tells revisions apart by matchLabelKeys', () => {
    const pods = on('a1').map((pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { ...LABELS, rev: '1' } } }))
    const world = pluginWorld([podTopologySpread], { nodes: NODES, pods })
    const next = spread(constraint({ matchLabelKeys: ['rev'] }))
    const labelled = (rev: string) => ({ ...next, metadata: { ...next.metadata, labels: { ...LABELS, rev } } })
    expect(world.reasons(labelled('2'))['a1']).toBe('')
    expect(world.reasons(labelled('1'))['a1']).toBe(NO)
  })

  it('likes emptier domains by soft constraints', () => {
    const world = pluginWorld([podTopologySpread], { nodes: NODES, pods: on('a1', 'a2') })
    const scores = world.scores(spread(constraint({ whenUnsatisfiable: 'ScheduleAnyway' })), NAME)
    expect(scores).toEqual({ a1: 0, a2: 0, b1: 100 })
  })

  it('spreads the pods of a service over hosts where they say nothing', () => {
    const service = { metadata: { name: 'web', namespace: 'test' }, spec: { selector: LABELS } } as unknown as Service
    const objects = { services: () => [service] }
    const world = pluginWorld([podTopologySpread], { nodes: NODES, pods: on('a1', 'a1', 'a1'), objects })
    const scores = world.scores(podOf('web', { labels: LABELS }), NAME)
    expect(scores?.['b1']).toBe(100)
    expect(scores?.['a2']).toBeGreaterThan(scores?.['a1'] ?? 100)
    const alone = pluginWorld([podTopologySpread], { nodes: NODES, pods: on('a1') })
    expect(alone.scores(podOf('web', { labels: LABELS }), NAME)).toBeNull()
  })

  it('wants another try when a pod that counts leaves, and not for others', () => {
    const { hint } = pluginWorld([podTopologySpread], { nodes: [] })
    const left = { resource: 'AssignedPod', action: ACTION.delete } as const
    expect(hint(spread(constraint()), left, podOf('x', { on: 'a1', labels: LABELS }), undefined)).toBe('Queue')
    expect(hint(spread(constraint()), left, podOf('x', { on: 'a1' }), undefined)).toBe('Skip')
  })
})
