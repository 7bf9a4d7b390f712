import { describe, expect, it } from 'vitest'
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeAffinity } from './node-affinity.ts'

const NO = "node(s) didn't match Pod's node affinity/selector"
const NODES = [nodeOf('a', { labels: { disk: 'ssd', cores: '8' } }), nodeOf('b', { labels: { disk: 'hdd', cores: '4' } }), nodeOf('c')]
const required = (...nodeSelectorTerms: NodeSelectorTerm[]) =>
  podOf('web', { spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } } })
const asking = (key: string, operator: NodeSelectorRequirement['operator'], ...values: string[]) =>
  required({ matchExpressions: [{ key, operator, values }] })

describe('NodeAffinity', () => {
  const world = pluginWorld([nodeAffinity], { nodes: NODES })
  const fitting = (pod: ReturnType<typeof podOf>) =>
    Object.entries(world.reasons(pod)).flatMap(([name, reason]) => (reason === '' ? name : []))

  it('goes by the node selector, and shows what is missing', () => {
    const pod = podOf('web', { spec: { nodeSelector: { disk: 'ssd' } } })
    expect(world.reasons(pod)).toEqual({ a: '', b: NO, c: NO })
    expect(world.statuses(pod)['b']?.evidence).toEqual([{ type: 'nodeSelector', missing: { disk: 'ssd' } }])
  })

  it.each<[string, ReturnType<typeof podOf>, string[]]>([
    ['In', asking('disk', 'In', 'ssd', 'hdd'), ['a', 'b']],
    ['NotIn, which holds where the label is missing', asking('disk', 'NotIn', 'hdd'), ['a', 'c']],
    ['Exists', asking('disk', 'Exists'), ['a', 'b']],
    ['DoesNotExist', asking('disk', 'DoesNotExist'), ['c']],
    ['Gt', asking('cores', 'Gt', '4'), ['a']],
    ['Lt', asking('cores', 'Lt', '8'), ['b']],
  ])('knows %s', (_name, pod, nodes) => {
    expect(fitting(pod)).toEqual(nodes)
  })

  it('needs one term, and all of it; a term that asks for nothing holds nowhere', () => {
    const ssd = { key: 'disk', operator: 'In' as const, values: ['ssd'] }
    const few = { key: 'cores', operator: 'Lt' as const, values: ['8'] }
    expect(fitting(required({ matchExpressions: [ssd, few] }))).toEqual([])
    expect(fitting(required({ matchExpressions: [ssd] }, { matchExpressions: [few] }))).toEqual(['a', 'b'])
    expect(fitting(required({}))).toEqual([])
  })

  it('looks only at nodes that every term names', () => {
    const named = (...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values }] })
    expect(world.reasons(required(named('b'), named('c')))).toEqual({ a: 'left out by PreFilter', b: '', c: '' })
    const conflict = required({ matchFields: [...named('a').matchFields, ...named('b').matchFields] })
    expect(world.reasons(conflict)).toMatchObject({ a: 'pod affinity terms conflict' })
  })

  it('likes nodes by the sum of the weights that hold', () => {
    const pod = podOf('web', {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 30, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
              { weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
            ],
          },
        },
      },
    })
    expect(world.scores(pod, 'NodeAffinity')).toEqual({ a: 100, b: 75, c: 0 })
    expect(world.scores(podOf('web'), 'NodeAffinity')).toBeNull()
  })

  it('adds an affinity that the administrator enforces', () => {
    const addedAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }] },
    }
    const strict = pluginWorld([nodeAffinity], { nodes: NODES, settings: { NodeAffinity: { args: { addedAffinity } } } })
    expect(strict.reasons(podOf('web'))).toEqual({ a: '', b: '', c: "node(s) didn't match scheduler-enforced node affinity" })
  })

  it('wants another try when a node comes to match', () => {
    const pod = podOf('web', { spec: { nodeSelector: { disk: 'ssd' } } })
    const change = { resource: 'Node', action: ACTION.updateNodeLabel } as const
    expect(world.hint(pod, change, nodeOf('x'), nodeOf('x', { labels: { disk: 'ssd' } }))).toBe('Queue')
    expect(world.hint(pod, change, nodeOf('x'), nodeOf('x', { labels: { disk: 'hdd' } }))).toBe('Skip')
  })
})
