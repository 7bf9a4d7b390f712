import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { nodeOf, podOf } from '../testing/objects.ts'
import { SchedulerCache } from './cache.ts'
import { PodInfo } from './pod-info.ts'
import { Snapshot, snapshotOf } from './snapshot.ts'

const ZONE = 'topology.kubernetes.io/zone'
const NAMES = ['n0', 'n1', 'n2', 'n3']
const ZONES = ['a', 'b', 'c']

/** Everything that plugins can see, in a form that can be compared. */
function visible(snapshot: Snapshot) {
  return {
    nodes: snapshot.nodes
      .map((node) => ({
        name: node.name,
        labels: node.labels,
        cpu: node.requested.milliCpu,
        memory: node.requested.memory,
        nonZero: [node.nonZeroCpu, node.nonZeroMemory],
        pods: [...node.pods()].map(({ uid }) => uid).sort(),
        port: node.conflictsWith({ ip: '0.0.0.0', protocol: 'TCP', port: 80 }),
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
    cohorts: [...snapshot.cohorts.all()]
      .map((cohort) => ({
        likeness: cohort.sample.likeness,
        size: cohort.size,
        perNode: sorted(cohort.perNode),
        perZone: sorted(cohort.perTopology(ZONE)),
      }))
      .filter(({ perNode }) => perNode.length > 0)
      .sort((a, b) => a.likeness.localeCompare(b.likeness)),
    domains: sorted(snapshot.domains(ZONE).nodesPerValue),
  }
}
const sorted = (map: ReadonlyMap<string, number>) => [...map].filter(([, count]) => count !== 0).sort(([a], [b]) => a.localeCompare(b))

const nodeIn = (name: string, zone: string | undefined): Node => nodeOf(name, zone ? { labels: { [ZONE]: zone } } : {})
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('node' as const),
      name: fc.constantFrom(...NAMES),
      zone: fc.option(fc.constantFrom(...ZONES), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('no node' as const), name: fc.constantFrom(...NAMES) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('pod' as const),
      id: fc.nat(6),
      name: fc.constantFrom(...NAMES),
      app: fc.constantFrom('x', 'y'),
      port: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('no pod' as const), id: fc.nat(6) }) },
)

describe('Snapshot', () => {
  it('shows after any changes what one made anew would show', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const snapshot = new Snapshot()
        snapshot.domains(ZONE)
        const nodes = new Map<string, Node>()
        const pods = new Map<string, Pod>()
        for (const one of steps) {
          if (one.type === 'node') {
            const node = nodeIn(one.name, one.zone)
            nodes.set(one.name, node)
            snapshot.setNode(node)
          } else if (one.type === 'no node') {
            nodes.delete(one.name)
            snapshot.removeNode(one.name)
          } else if (one.type === 'pod') {
            const pod = podOf(`p${one.id}`, {
              on: one.name,
              labels: { app: one.app },
              requests: { cpu: '100m' },
              hostPorts: one.port ? [80] : [],
            })
            pods.set(pod.metadata.uid, pod)
            snapshot.removePod(pod.metadata.uid)
            snapshot.addPod(new PodInfo(pod), one.name)
          } else {
            pods.delete(`pod-p${one.id}`)
            snapshot.removePod(`pod-p${one.id}`)
          }
          for (const cohort of snapshot.cohorts.all()) cohort.perTopology(ZONE)
        }
        const anew = snapshotOf({ nodes: nodes.values(), pods: pods.values() })
        expect(visible(snapshot)).toEqual(visible(anew))
        expect(snapshot.podCount).toBe(pods.size)
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  it('looks at one node of each zone in turn', () => {
    const snapshot = snapshotOf({ nodes: [nodeIn('a1', 'a'), nodeIn('a2', 'a'), nodeIn('b1', 'b'), nodeIn('a3', 'a')] })
    expect(snapshot.nodes.map(({ name }) => name)).toEqual(['a1', 'b1', 'a2', 'a3'])
  })

  it('leaves out pods that have ended', () => {
    const ended = podOf('done', { on: 'a', requests: { cpu: '1' } })
    const snapshot = snapshotOf({ nodes: [nodeOf('a')], pods: [{ ...ended, status: { ...ended.status, phase: 'Succeeded' } }] })
    expect(snapshot.node('a')?.requested.milliCpu).toBe(0)
  })
})

describe('SchedulerCache', () => {
  const setUp = () => {
    const clock = new FakeClock()
    const cache = new SchedulerCache(snapshotOf({ nodes: [nodeOf('a'), nodeOf('b')] }), clock)
    const used = (name: string) => cache.snapshot.node(name)?.requested.milliCpu
    return { clock, cache, used, pod: podOf('web', { requests: { cpu: '1' } }) }
  }

  it('counts an assumed pod at once, and once only when an informer tells of it', () => {
    const { cache, used, pod } = setUp()
    cache.assume(new PodInfo(pod), 'a')
    expect([used('a'), cache.isAssumed(pod.metadata.uid)]).toEqual([1000, true])
    cache.setPod(podOf('web', { requests: { cpu: '1' }, on: 'a' }))
    expect([used('a'), cache.isAssumed(pod.metadata.uid)]).toEqual([1000, false])
    expect(cache.forget(pod.metadata.uid)).toBe(false)
  })

  it('takes a newer state of a pod without another count, unless it asks for something else', () => {
    const { cache, used } = setUp()
    const node = cache.snapshot.node('a')
    const set = (options: Parameters<typeof podOf>[1], status: object = {}) => {
      const made = podOf('web', { requests: { cpu: '1' }, ...options, on: 'a' })
      cache.setPod({ ...made, status: { ...made.status, ...status } })
      return node?.version
    }
    const first = set({})
    expect(set({}, { phase: 'Running', podIP: '10.0.0.1' })).toBe(first)
    expect(node?.pod('pod-web')?.pod.status.podIP).toBe('10.0.0.1')
    const relabelled = set({ labels: { app: 'web' } })
    expect(relabelled).not.toBe(first)
    const started = set({ labels: { app: 'web' } }, { startTime: '2026-01-01T00:00:00Z' })
    expect(started).not.toBe(relabelled)
    set({ requests: { cpu: '2' } })
    expect(used('a')).toBe(2000)
  })

  it('believes the informer where it names another node', () => {
    const { cache, used, pod } = setUp()
    cache.assume(new PodInfo(pod), 'a')
    cache.setPod(podOf('web', { requests: { cpu: '1' }, on: 'b' }))
    expect([used('a'), used('b')]).toEqual([0, 1000])
  })

  it('gives back what a forgotten pod held', () => {
    const { cache, used, pod } = setUp()
    cache.assume(new PodInfo(pod), 'a')
    expect(cache.forget(pod.metadata.uid)).toBe(true)
    expect(used('a')).toBe(0)
  })

  it('names bindings that nobody tells of half a minute after they ended', async () => {
    const { cache, clock, pod } = setUp()
    cache.assume(new PodInfo(pod), 'a')
    await clock.advance(60_000)
    expect(cache.overdue()).toEqual([])
    cache.finishBinding(pod.metadata.uid)
    await clock.advance(29_999)
    expect(cache.overdue()).toEqual([])
    await clock.advance(1)
    expect(cache.overdue().map(({ uid }) => uid)).toEqual([pod.metadata.uid])
    expect(cache.overdue()).toEqual([])
  })
})
