import { describe, expect, it } from 'vitest'
import type { Affinity, PodAffinityTerm } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { nodeOf, podOf, type PodOptions } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'

const NAME = 'InterPodAffinity'
const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'
const AFFINITY = "node(s) didn't match pod affinity rules"
const ANTI = "node(s) didn't match pod anti-affinity rules"
const OTHERS = "node(s) didn't satisfy existing pods anti-affinity rules"
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const zone = (name: string) => ({ labels: { [ZONE]: name } })
const NODES = [nodeOf('a1', zone('a')), nodeOf('a2', zone('a')), nodeOf('b1', zone('b'))]

const near = (app: string, topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
})
const wanting = (affinity: Affinity, options: PodOptions & { on?: string } = {}, name = 'web') =>
  podOf(name, { labels: { app: 'web' }, ...options, spec: { affinity } })

describe('InterPodAffinity', () => {
  it('keeps a pod near those that it requires', () => {
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods: [podOf('db', { on: 'a1', labels: { app: 'db' } })] })
    const byZone = wanting({ podAffinity: { [REQUIRED]: [near('db', ZONE)] } })
    expect(world.reasons(byZone)).toEqual({ a1: '', a2: '', b1: AFFINITY })
    expect(world.reasons(wanting({ podAffinity: { [REQUIRED]: [near('db', HOST)] } }))).toEqual({ a1: '', a2: AFFINITY, b1: AFFINITY })
    expect(world.statuses(byZone)['b1']).toMatchObject({
      code: 'UnschedulableAndUnresolvable',
      evidence: [{ type: 'podAffinity', rule: 'affinity', topologyKey: ZONE, domain: 'b' }],
    })
  })

  it('lets the first pod of a group that wants itself begin anywhere with the label', () => {
    const world = pluginWorld([interPodAffinity], { nodes: [...NODES, nodeOf('bare')] })
    const first = wanting({ podAffinity: { [REQUIRED]: [near('web', ZONE)] } })
    expect(world.reasons(first)).toEqual({ a1: '', a2: '', b1: '', bare: AFFINITY })
  })

  it('keeps a pod away from those that it does not bear', () => {
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods: [podOf('db', { on: 'a1', labels: { app: 'db' } })] })
    const pod = wanting({ podAntiAffinity: { [REQUIRED]: [near('db', ZONE)] } })
    expect(world.reasons(pod)).toEqual({ a1: ANTI, a2: ANTI, b1: '' })
    expect(world.statuses(pod)['a1']?.code).toBe('Unschedulable')
  })

  it('keeps a pod away from those that do not bear it', () => {
    const lonely = wanting({ podAntiAffinity: { [REQUIRED]: [near('web', HOST)] } }, { on: 'a1', labels: { app: 'lonely' } }, 'lonely')
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods: [lonely] })
    expect(world.reasons(podOf('web', { labels: { app: 'web' } }))).toEqual({ a1: OTHERS, a2: '', b1: '' })
    expect(world.reasons(podOf('db', { labels: { app: 'db' } }))).toEqual({ a1: '', a2: '', b1: '' })
  })

  it('looks at the pod’s own namespace, or at those that a term names or selects', () => {
    const pods = [podOf('db', { on: 'a1', labels: { app: 'db' }, namespace: 'other' })]
    const labels: Record<string, Record<string, string>> = { other: { team: 'x' }, test: {} }
    const objects = { namespaces: () => Object.keys(labels), namespaceLabels: (name: string) => labels[name] }
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods, objects })
    const fits = (more: Partial<PodAffinityTerm>) =>
      world.reasons(wanting({ podAffinity: { [REQUIRED]: [near('db', HOST, more)] } }))['a1'] === ''
    expect(fits({})).toBe(false)
    expect(fits({ namespaces: ['other'] })).toBe(true)
    expect(fits({ namespaceSelector: { matchLabels: { team: 'x' } } })).toBe(true)
    expect(fits({ namespaceSelector: { matchLabels: { team: 'y' } } })).toBe(false)
    expect(fits({ namespaceSelector: {} })).toBe(true)
  })

  it('counts pods that come and go in thought', () => {
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods: [podOf('db', { on: 'a1', labels: { app: 'db' } })] })
    const { framework, snapshot } = world
    const pod = new PodInfo(wanting({ podAntiAffinity: { [REQUIRED]: [near('db', HOST)] } }))
    const attempt = framework.begin(snapshot)
    framework.preFilter(attempt, pod)
    const node = snapshot.node('a1')
    const db = node?.pod('pod-db')
    if (!node || !db) throw new Error('the world lacks its pod')
    const fork = attempt.fork()
    framework.removePod(fork, pod, db, node)
    expect(framework.filter(fork, pod, node)).toBeNull()
    expect(framework.filter(attempt, pod, node)?.reasons).toEqual([ANTI])
    framework.addPod(fork, pod, db, node)
    expect(framework.filter(fork, pod, node)?.reasons).toEqual([ANTI])
  })

  it('likes nodes near to wanted pods and away from unwanted ones, by their weights', () => {
    const pods = [podOf('db', { on: 'a1', labels: { app: 'db' } }), podOf('noise', { on: 'b1', labels: { app: 'noise' } })]
    const world = pluginWorld([interPodAffinity], { nodes: NODES, pods })
    const pod = wanting({
      podAffinity: { [PREFERRED]: [{ weight: 10, podAffinityTerm: near('db', HOST) }] },
      podAntiAffinity: { [PREFERRED]: [{ weight: 10, podAffinityTerm: near('noise', ZONE) }] },
    })
    expect(world.scores(pod, NAME)).toEqual({ a1: 100, a2: 50, b1: 0 })
  })

  it('counts what pods that are there would like, unless told not to', () => {
    const affinity = { podAffinity: { [PREFERRED]: [{ weight: 10, podAffinityTerm: near('web', HOST) }] } }
    const pods = [wanting(affinity, { on: 'b1', labels: { app: 'fan' } }, 'fan')]
    const pod = podOf('web', { labels: { app: 'web' } })
    expect(pluginWorld([interPodAffinity], { nodes: NODES, pods }).scores(pod, NAME)).toEqual({ a1: 0, a2: 0, b1: 100 })
    const settings = { [NAME]: { args: { ignorePreferredTermsOfExistingPods: true } } }
    expect(pluginWorld([interPodAffinity], { nodes: NODES, pods, settings }).scores(pod, NAME)).toBeNull()
  })

  it('wants another try when a wanted pod comes, or an unwanted one leaves', () => {
    const { hint } = pluginWorld([interPodAffinity], { nodes: [] })
    const [came, left] = [ACTION.add, ACTION.delete].map((action) => ({ resource: 'AssignedPod' as const, action }))
    if (!came || !left) throw new Error('no events')
    const db = podOf('db', { on: 'a1', labels: { app: 'db' } })
    const other = podOf('other', { on: 'a1', labels: { app: 'other' } })
    const wants = wanting({ podAffinity: { [REQUIRED]: [near('db', ZONE)] } })
    const shuns = wanting({ podAntiAffinity: { [REQUIRED]: [near('db', ZONE)] } })
    expect([hint(wants, came, undefined, db), hint(wants, came, undefined, other)]).toEqual(['Queue', 'Skip'])
    expect([hint(shuns, left, db, undefined), hint(shuns, left, other, undefined)]).toEqual(['Queue', 'Skip'])
  })
})
