import { describe, expect, it } from 'vitest'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'

const NAME = 'NodeResourcesBalancedAllocation'

describe('NodeResourcesBalancedAllocation', () => {
  it('likes the node that the pod brings nearer to an even use', () => {
    const world = pluginWorld([nodeResourcesBalancedAllocation], {
      nodes: [nodeOf('cpu-heavy'), nodeOf('memory-heavy')],
      pods: [podOf('a', { on: 'cpu-heavy', requests: { cpu: '2' } }), podOf('b', { on: 'memory-heavy', requests: { memory: '4Gi' } })],
    })
    const scores = world.scores(podOf('web', { requests: { cpu: '1' } }), NAME)
    expect(scores?.['memory-heavy']).toBeGreaterThan(75)
    expect(scores?.['cpu-heavy']).toBeLessThan(75)
  })

  it('has nothing to say of a pod that asks for nothing', () => {
    const world = pluginWorld([nodeResourcesBalancedAllocation], { nodes: [nodeOf('a'), nodeOf('b')] })
    expect(world.scores(podOf('web'), NAME)).toBeNull()
  })
})
