import { describe, expect, it } from 'vitest'
import { PodInfo } from '../snapshot/pod-info.ts'
import { nodeOf, podOf } from '../testing/objects.ts'
import { pluginWorld } from '../testing/plugin-world.ts'
import { definePlugin } from './descriptor.ts'
import { Diagnosis } from './diagnosis.ts'
import { ACTION, matchesEvent, nodeEvents, podEvents } from './events.ts'
import { normalizeByLargest } from './normalize.ts'
import type { AnyPlugin } from './plugin.ts'
import { resolveProfile } from './profile.ts'
import { SKIP, unresolvable, unschedulable } from './status.ts'

const plugin = (name: string, parts: Omit<AnyPlugin, 'name'>) => definePlugin({ name, defaults: {}, create: () => ({ name, ...parts }) })
const info = new PodInfo(podOf('web'))
const nodes = [nodeOf('a'), nodeOf('b'), nodeOf('c')]

describe('Framework', () => {
  it('does not ask a filter whose PreFilter had nothing to do', () => {
    const lazy = plugin('Lazy', { preFilter: () => SKIP, filter: () => unschedulable('Lazy', ['never']) })
    expect(pluginWorld([lazy], { nodes }).reasons(info.pod)).toEqual({ a: '', b: '', c: '' })
  })

  it('takes what all subsets have in common, and says who left nothing', () => {
    const only = (name: string, ...names: string[]) => plugin(name, { preFilter: () => ({ nodes: new Set(names) }) })
    const { framework, snapshot } = pluginWorld([only('X', 'a', 'b'), only('Y', 'b', 'c')], { nodes })
    expect(framework.preFilter(framework.begin(snapshot), info).nodes).toEqual(new Set(['b']))
    const apart = pluginWorld([only('X', 'a'), only('Y', 'c')], { nodes })
    expect(apart.framework.preFilter(apart.framework.begin(apart.snapshot), info)).toMatchObject({
      status: { code: 'UnschedulableAndUnresolvable', reasons: ["node(s) didn't satisfy plugin(s) [X Y] simultaneously"] },
      rejectors: ['X', 'Y'],
    })
  })

  it('weighs scores, and refuses those that are not from 0 to 100', () => {
    const scoring = (name: string, score: number) => plugin(name, { score: () => score })
    const world = (score: number) => pluginWorld([scoring('X', 10), scoring('Y', score)], { nodes, settings: { Y: { weight: 3 } } })
    const totals = (score: number) => {
      const { framework, snapshot } = world(score)
      const attempt = framework.begin(snapshot)
      framework.preScore(attempt, info, snapshot.nodes)
      return framework.score(attempt, info, snapshot.nodes)
    }
    expect(totals(20)).toEqual([70, 70, 70])
    expect(() => totals(101)).toThrow('running Score plugin "Y": the score 101 is not from 0 to 100')
  })

  it('asks PostFilter plugins until one has an answer, and collects what the others say', () => {
    const saying = (name: string, reason: string) => plugin(name, { postFilter: () => ({ status: unschedulable(name, [reason]) }) })
    const helping = plugin('Helping', { postFilter: () => ({ status: null, nominate: 'a' }) })
    const of = (...plugins: ReturnType<typeof plugin>[]) => {
      const { framework, snapshot } = pluginWorld(plugins, { nodes })
      return framework.postFilter(framework.begin(snapshot), info, new Diagnosis().statuses)
    }
    expect(of()).toBeNull()
    expect(of(saying('X', 'one'), saying('Y', 'two'))).toMatchObject({ status: { reasons: ['one', 'two'] } })
    expect(of(saying('X', 'one'), helping)).toEqual({ status: null, nominate: 'a' })
  })
})

describe('resolveProfile', () => {
  const x = plugin('X', {})
  it('takes weights, arguments and what is disabled from the settings', () => {
    const y = definePlugin({ name: 'Y', weight: 2, defaults: { a: 1, b: 2 }, create: () => ({ name: 'Y' }) })
    const { plugins, schedulerName } = resolveProfile({ settings: { X: { disabled: true }, Y: { args: { b: 3 } } } }, [x, y])
    expect(schedulerName).toBe('default-scheduler')
    expect(plugins).toEqual([{ descriptor: y, weight: 2, args: { a: 1, b: 3 } }])
  })

  it.each([
    [{ settings: { Z: {} } }, 'there is no plugin "Z"'],
    [{ settings: { X: { weight: 0 } } }, 'the weight of X must be a positive whole number'],
    [{ percentageOfNodesToScore: 101 }, 'percentageOfNodesToScore must be from 0 to 100'],
  ])('refuses %j', (config, message) => {
    expect(() => resolveProfile(config, [x])).toThrow(message)
  })
})

describe('Diagnosis', () => {
  it('counts reasons over nodes, sorted as text, with those that had no status of their own', () => {
    const diagnosis = new Diagnosis()
    diagnosis.statuses.set('a', unschedulable('Fit', ['Insufficient memory', 'Insufficient cpu']))
    diagnosis.statuses.set('b', unschedulable('Fit', ['Insufficient cpu']))
    diagnosis.statuses.absent = unresolvable('', ['left out'])
    diagnosis.postFilterMessage = 'preemption: no.'
    expect(diagnosis.message(5)).toBe('0/5 nodes are available: 1 Insufficient memory, 2 Insufficient cpu, 3 left out. preemption: no.')
  })
})

describe('events', () => {
  it('of a heartbeat are none, and of changes one each', () => {
    const node = nodeOf('a')
    const beat = {
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' as const, lastHeartbeatTime: '2026-01-01T00:00:00Z' }] },
    }
    const next = {
      ...beat,
      status: { ...beat.status, conditions: [{ type: 'Ready', status: 'True' as const, lastHeartbeatTime: '2026-01-01T00:00:10Z' }] },
    }
    expect(nodeEvents(next, beat)).toEqual([])
    const changed = nodeOf('a', { cpu: '8', labels: { x: 'y' } })
    expect(nodeEvents(changed, node).map(({ action }) => action)).toEqual([ACTION.updateNodeAllocatable, ACTION.updateNodeLabel])
    expect(nodeEvents(node, nodeOf('a', { unschedulable: true })).map(({ action }) => action)).toEqual([ACTION.updateNodeTaint])
  })

  it('of a pod tell what changed, or that something else did', () => {
    const of = (now: ReturnType<typeof podOf>, old: ReturnType<typeof podOf>) =>
      podEvents(new PodInfo(now), new PodInfo(old), 'TargetPod').map(({ action }) => action)
    const plain = podOf('web', { requests: { cpu: '2' } })
    expect(of(podOf('web', { requests: { cpu: '1' } }), plain)).toEqual([ACTION.updatePodScaleDown])
    expect(of(podOf('web', { requests: { cpu: '2' }, labels: { x: 'y' } }), plain)).toEqual([ACTION.updatePodLabel])
    expect(of(plain, podOf('web', { requests: { cpu: '2' }, spec: { schedulingGates: [{ name: 'g' }] } }))).toEqual([
      ACTION.updatePodGatesEliminated,
    ])
    expect(of({ ...plain, metadata: { ...plain.metadata, annotations: { x: 'y' } } }, plain)).toEqual([ACTION.updateOther])
  })

  it('reach who asked for the resource, for pods of any kind, or for everything', () => {
    const event = { resource: 'AssignedPod', action: ACTION.delete } as const
    expect(matchesEvent({ resource: 'Pod', action: ACTION.delete | ACTION.add }, event)).toBe(true)
    expect(matchesEvent({ resource: 'TargetPod', action: ACTION.delete }, event)).toBe(false)
    expect(matchesEvent({ resource: 'AssignedPod', action: ACTION.add }, event)).toBe(false)
    expect(matchesEvent({ resource: '*', action: ACTION.delete }, event)).toBe(true)
  })
})

describe('normalizeByLargest', () => {
  it('makes the largest 100, or reversed the smallest best', () => {
    const [plain, reversed, zeros] = [
      [1, 4, 2],
      [1, 4, 0],
      [0, 0],
    ]
    normalizeByLargest(plain, false)
    normalizeByLargest(reversed, true)
    normalizeByLargest(zeros, true)
    expect([plain, reversed, zeros]).toEqual([
      [25, 100, 50],
      [75, 0, 100],
      [100, 100],
    ])
  })
})
