import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { definePlugin } from '../framework/descriptor.ts'
import { unschedulable } from '../framework/status.ts'
import { nodeAffinity } from '../plugins/node-affinity/node-affinity.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { nodeOf, podOf } from '../testing/objects.ts'
import { pluginWorld } from '../testing/plugin-world.ts'
import { enoughNodes, NodeSearch } from './node-search.ts'
import { bestOf } from './placement.ts'

const nodes = (count: number) => Array.from({ length: count }, (_, i) => nodeOf(`n${i}`))
const flat = definePlugin({ name: 'Flat', defaults: {}, create: () => ({ name: 'Flat', score: () => 1 }) })

describe('enoughNodes', () => {
  it.each([
    [50, 0, 50],
    [100, 0, 100],
    [1000, 0, 420],
    [5000, 0, 500],
    [20_000, 0, 1000],
    [1000, 10, 100],
    [1000, 5, 100],
    [1000, 100, 1000],
  ])('of %d nodes at %d percent are %d', (total, percentage, enough) => {
    expect(enoughNodes(total, percentage)).toBe(enough)
  })
})

describe('NodeSearch', () => {
  const find = (search: NodeSearch, world: ReturnType<typeof pluginWorld>, pod = podOf('web')) =>
    search.find(world.framework, world.framework.begin(world.snapshot), new PodInfo(pod))
  const names = ({ nodes: found }: ReturnType<typeof find>) => found.map(({ name }) => name)

  it('begins where the last search ended, so that all nodes get their turn', () => {
    const world = pluginWorld([flat], { nodes: nodes(200) })
    const search = new NodeSearch()
    const [first, second] = [names(find(search, world)), names(find(search, world))]
    expect([first.length, first[0], second[0]]).toEqual([100, 'n0', 'n100'])
    expect(new Set([...first, ...second]).size).toBe(200)
  })

  it('takes the first node where nothing is weighed', () => {
    expect(names(find(new NodeSearch(), pluginWorld([], { nodes: nodes(5) })))).toEqual(['n0'])
  })

  it('looks at the promised node first, and at others where it does not do', () => {
    const promised = (node: string) => {
      const pod = podOf('web', { spec: { nodeSelector: { 'kubernetes.io/hostname': 'n2' } } })
      return { ...pod, status: { ...pod.status, nominatedNodeName: node } }
    }
    const world = pluginWorld([flat, nodeAffinity], { nodes: nodes(5) })
    expect(names(find(new NodeSearch(), world, promised('n2')))).toEqual(['n2'])
    expect(names(find(new NodeSearch(), world, promised('n1')))).toEqual(['n2'])
  })

  it('says who refused, and which nodes nobody had to look at', () => {
    const terms = [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: ['n1', 'gone'] }] }]
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } }
    const no = definePlugin({ name: 'No', defaults: {}, create: () => ({ name: 'No', filter: () => unschedulable('No', ['no']) }) })
    const world = pluginWorld([nodeAffinity, no], { nodes: nodes(3) })
    const { diagnosis } = find(new NodeSearch(), world, podOf('web', { spec: { affinity: { nodeAffinity: required } } }))
    expect(diagnosis.message(3)).toBe("0/3 nodes are available: 1 no, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].")
    expect([...diagnosis.rejectors].sort((a, b) => a.localeCompare(b))).toEqual(['No', 'NodeAffinity'])
  })

  it('calls it a fault when a plugin fails, not a refusal', () => {
    const broken = definePlugin({
      name: 'Broken',
      defaults: {},
      create: () => ({
        name: 'Broken',
        filter() {
          throw new Error('out of order')
        },
      }),
    })
    const { fault } = find(new NodeSearch(), pluginWorld([broken], { nodes: nodes(2) }))
    expect(fault).toMatchObject({ code: 'Error', reasons: ['running "Broken" filter plugin: out of order'] })
  })

  it('counts more important pods that a node was promised to, and not less important ones', () => {
    const crowded = definePlugin({
      name: 'Lonely',
      defaults: {},
      create: () => ({ name: 'Lonely', filter: (_cycle, _pod, node) => (node.podCount > 0 ? unschedulable('Lonely', ['taken']) : null) }),
    })
    const world = pluginWorld([crowded], { nodes: nodes(1) })
    world.nominator.set(new PodInfo(podOf('other', { spec: { priority: 5 } })), 'n0')
    expect(names(find(new NodeSearch(), world, podOf('web', { spec: { priority: 1 } })))).toEqual([])
    expect(names(find(new NodeSearch(), world, podOf('web', { spec: { priority: 9 } })))).toEqual(['n0'])
  })
})

describe('bestOf', () => {
  it('is the largest, and of several alike each about as often', () => {
    expect(bestOf([1, 5, 3], seededRandom(1))).toBe(1)
    const random = seededRandom(1)
    const drawn = Array.from({ length: 3000 }, () => bestOf([7, 1, 7, 7], random))
    const times = (place: number) => drawn.filter((each) => each === place).length
    expect(times(1)).toBe(0)
    for (const place of [0, 2, 3]) expect(Math.abs(times(place) - 1000)).toBeLessThan(120)
  })
})
