import { describe, expect, it } from 'vitest'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'

const NAME = 'NodeResourcesFit'

describe('NodeResourcesFit', () => {
  it('says of each resource that there is too little of it, and by how much', () => {
    const world = pluginWorld([nodeResourcesFit], {
      nodes: [nodeOf('a', { cpu: '2', memory: '1Gi' })],
      pods: [podOf('other', { on: 'a', requests: { cpu: '1500m', memory: '512Mi' } })],
    })
    const { a: status } = world.statuses(podOf('web', { requests: { cpu: '1', memory: '768Mi' } }))
    expect(status?.code).toBe('Unschedulable')
    expect(status?.reasons).toEqual(['Insufficient cpu', 'Insufficient memory'])
    expect(status?.evidence?.[0]).toEqual({
      ...{ type: 'resource', resource: 'cpu', requested: 1000, used: 1500, allocatable: 2000, free: 500, short: 500 },
    })
  })

  it('takes what fits exactly, and nothing more', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { cpu: '2' })] })
    expect(world.reasons(podOf('web', { requests: { cpu: '2' } }))).toEqual({ a: '' })
    expect(world.reasons(podOf('web', { requests: { cpu: '2001m' } }))).toEqual({ a: 'Insufficient cpu' })
  })

  it('knows where taking other pods away cannot help', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { cpu: '2' })] })
    expect(world.statuses(podOf('web', { requests: { cpu: '3' } }))['a']?.code).toBe('UnschedulableAndUnresolvable')
  })

  it('counts pods, and extended resources by their name', () => {
    const world = pluginWorld([nodeResourcesFit], {
      nodes: [nodeOf('full', { pods: '1' }), nodeOf('plain'), nodeOf('gpu', { allocatable: { 'example.com/gpu': '1' } })],
      pods: [podOf('other', { on: 'full' })],
    })
    expect(world.reasons(podOf('web', { requests: { 'example.com/gpu': '1' } }))).toEqual({
      full: 'Too many pods, Insufficient example.com/gpu',
      plain: 'Insufficient example.com/gpu',
      gpu: '',
    })
  })

  it('takes no more pods than the node allows, whatever they ask for', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { pods: '2' })], pods: [podOf('one', { on: 'a' })] })
    expect(world.reasons(podOf('web'))).toEqual({ a: '' })
    const full = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { pods: '1' })], pods: [podOf('one', { on: 'a' })] })
    expect(full.reasons(podOf('web'))).toEqual({ a: 'Too many pods' })
  })

  it('looks away from resources that somebody else looks after', () => {
    const world = pluginWorld([nodeResourcesFit], {
      nodes: [nodeOf('a')],
      settings: { [NAME]: { args: { ignoredResourceGroups: ['example.com'] } } },
    })
    expect(world.reasons(podOf('web', { requests: { 'example.com/gpu': '1' } }))).toEqual({ a: '' })
  })

  it('counts the larger of init containers and containers, with sidecars beside both', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a', { cpu: '3' })] })
    const pod = (init: string) =>
      podOf('web', {
        requests: { cpu: '1' },
        spec: {
          initContainers: [
            { name: 'side', image: 'side:1', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
            { name: 'init', image: 'init:1', resources: { requests: { cpu: init } } },
          ],
        },
      })
    expect(world.reasons(pod('2'))).toEqual({ a: '' })
    expect(world.reasons(pod('2001m'))).toEqual({ a: 'Insufficient cpu' })
  })

  it('likes the emptier node by default, and the fuller one where it is told to', () => {
    const nodes = [nodeOf('busy'), nodeOf('idle')]
    const pods = [podOf('other', { on: 'busy', requests: { cpu: '2', memory: '4Gi' } })]
    const pod = podOf('web', { requests: { cpu: '1', memory: '2Gi' } })
    expect(pluginWorld([nodeResourcesFit], { nodes, pods }).scores(pod, NAME)).toEqual({ busy: 25, idle: 75 })
    const resources = [
      { name: 'cpu', weight: 1 },
      { name: 'memory', weight: 1 },
    ]
    const most = { [NAME]: { args: { scoringStrategy: { type: 'MostAllocated', resources } } } }
    expect(pluginWorld([nodeResourcesFit], { nodes, pods, settings: most }).scores(pod, NAME)).toEqual({ busy: 75, idle: 25 })
    const shape = [
      { utilization: 0, score: 0 },
      { utilization: 50, score: 10 },
      { utilization: 100, score: 0 },
    ]
    const ratio = { [NAME]: { args: { scoringStrategy: { type: 'RequestedToCapacityRatio', resources, shape } } } }
    expect(pluginWorld([nodeResourcesFit], { nodes, pods, settings: ratio }).scores(pod, NAME)).toEqual({ busy: 50, idle: 50 })
  })

  it('weighs pods that ask for nothing, so that they do not all come to one node', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [nodeOf('a'), nodeOf('b')], pods: [podOf('other', { on: 'a' })] })
    const scores = world.scores(podOf('web'), NAME)
    expect(scores?.['b']).toBeGreaterThan(scores?.['a'] ?? 0)
  })

  it('refuses a strategy that cannot be', () => {
    const of = (shape: unknown) => () =>
      pluginWorld([nodeResourcesFit], {
        nodes: [],
        settings: { [NAME]: { args: { scoringStrategy: { type: 'RequestedToCapacityRatio', resources: [], shape } } } },
      })
    expect(of([])).toThrow('the shape needs at least one point')
    expect(
      of([
        { utilization: 50, score: 1 },
        { utilization: 40, score: 2 },
      ]),
    ).toThrow('utilization must grow from point to point')
  })

  it('wants another try for a node that would do when empty, and for one that has got more of what the pod wants', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [] })
    const pod = podOf('web', { requests: { cpu: '2' } })
    const add = { resource: 'Node', action: ACTION.add } as const
    const grow = { resource: 'Node', action: ACTION.updateNodeAllocatable } as const
    expect(world.hint(pod, add, undefined, nodeOf('a', { cpu: '1' }))).toBe('Skip')
    expect(world.hint(pod, add, undefined, nodeOf('a', { cpu: '2' }))).toBe('Queue')
    expect(world.hint(pod, grow, nodeOf('a', { memory: '1Gi' }), nodeOf('a', { memory: '2Gi' }))).toBe('Skip')
    expect(world.hint(pod, grow, nodeOf('a', { cpu: '2' }), nodeOf('a', { cpu: '3' }))).toBe('Queue')
  })

  it('wants another try when a pod leaves, or shrinks in what this one wants', () => {
    const world = pluginWorld([nodeResourcesFit], { nodes: [] })
    const pod = podOf('web', { requests: { cpu: '2' } })
    const shrink = { resource: 'AssignedPod', action: ACTION.updatePodScaleDown } as const
    const other = (requests: Record<string, string>) => podOf('other', { on: 'a', requests })
    expect(world.hint(pod, { resource: 'AssignedPod', action: ACTION.delete }, other({}), undefined)).toBe('Queue')
    expect(world.hint(pod, shrink, other({ memory: '2Gi' }), other({ memory: '1Gi' }))).toBe('Skip')
    expect(world.hint(pod, shrink, other({ cpu: '2' }), other({ cpu: '1' }))).toBe('Queue')
  })
})
