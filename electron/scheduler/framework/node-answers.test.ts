import { describe, expect, it } from 'vitest'
import { NodeSearch } from '../cycle/node-search.ts'
import { PodInfo } from '../snapshot/pod-info.ts'
import { snapshotOf } from '../snapshot/snapshot.ts'
import { nodeOf, podOf, type PodOptions } from '../testing/objects.ts'
import { pluginWorld } from '../testing/plugin-world.ts'
import { definePlugin } from './descriptor.ts'
import { AnswersByDemand, PerNode } from './node-answers.ts'
import { unschedulable } from './status.ts'

describe('PerNode', () => {
  it('keeps an answer until the node, or what is on it, changes', () => {
    const snapshot = snapshotOf({ nodes: [nodeOf('a'), nodeOf('b')] })
    const answers = new PerNode<number>()
    const [a, b] = snapshot.nodes as [NonNullable<ReturnType<typeof snapshot.node>>, NonNullable<ReturnType<typeof snapshot.node>>]
    const ask = () => [answers.find(a), answers.find(b)]
    const tell = () => [a, b].forEach((node, i) => answers.set(node, i))
    tell()
    expect(ask()).toEqual([0, 1])
    snapshot.addPod(new PodInfo(podOf('web')), 'b')
    expect(ask()).toEqual([0, undefined])
    tell()
    snapshot.setNode(nodeOf('a', { cpu: '1' }))
    expect(ask()).toEqual([undefined, 1])
  })

  it('knows nothing of a node that came in the place of another', () => {
    const snapshot = snapshotOf({ nodes: [nodeOf('a')] })
    const answers = new PerNode<number>()
    const [before] = snapshot.nodes
    if (before) answers.set(before, 1)
    snapshot.removeNode('a')
    snapshot.setNode(nodeOf('a'))
    const [after] = snapshot.nodes
    expect(after && [after.slot, answers.find(after)]).toEqual([before?.slot, undefined])
  })
})

describe('AnswersByDemand', () => {
  it('drops the demand that was not asked for longest', () => {
    const answers = new AnswersByDemand()
    const first = answers.of('first')
    const others = Array.from({ length: 7 }, (_, i) => answers.of(`other-${i}`))
    expect(answers.of('first')).toBe(first)
    answers.of('one too many')
    expect(answers.of('first')).toBe(first)
    expect(answers.of('other-0')).not.toBe(others[0])
  })
})

describe('Framework.check', () => {
  /** Counts how often its filter and its score are asked. */
  const counting = (ofNodeAlone: boolean) => {
    const asked = { filter: 0, score: 0 }
    const plugin = definePlugin({
      name: 'Counting',
      defaults: {},
      create: () => ({
        name: 'Counting',
        ofNodeAlone,
        filter(_cycle, _pod, node) {
          asked.filter++
          return node.podCount > 0 ? unschedulable('Counting', ['taken']) : null
        },
        score() {
          asked.score++
          return 1
        },
      }),
    })
    const world = pluginWorld([plugin], { nodes: [nodeOf('a'), nodeOf('b'), nodeOf('c')] })
    const search = new NodeSearch()
    const place = (name: string, options: PodOptions = {}) => {
      const attempt = world.framework.begin(world.snapshot)
      const pod = new PodInfo(podOf(name, options))
      const { nodes } = search.find(world.framework, attempt, pod)
      world.framework.preScore(attempt, pod, nodes)
      world.framework.score(attempt, pod, nodes)
      return nodes.map((node) => node.name)
    }
    return { asked, world, place }
  }

  it('asks what looks at nodes alone only of those that changed since the last pod of the kind', () => {
    const { asked, world, place } = counting(true)
    expect(place('one')).toEqual(['a', 'b', 'c'])
    expect(place('two')).toEqual(['a', 'b', 'c'])
    expect(asked).toEqual({ filter: 3, score: 3 })
    world.snapshot.addPod(new PodInfo(podOf('other')), 'b')
    expect(place('three')).toEqual(['a', 'c'])
    expect(asked).toEqual({ filter: 4, score: 3 })
    place('different', { requests: { cpu: '1' } })
    expect(asked.filter).toBe(7)
  })

  it('asks others each time', () => {
    const { asked, place } = counting(false)
    place('one')
    place('two')
    expect(asked).toEqual({ filter: 6, score: 6 })
  })
})
