import { describe, expect, it } from 'vitest'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'

const cordoned = nodeOf('a', { unschedulable: true })

describe('NodeUnschedulable', () => {
  it('keeps pods off a cordoned node, but not those that bear its taint', () => {
    const world = pluginWorld([nodeUnschedulable], { nodes: [cordoned, nodeOf('b')] })
    expect(world.reasons(podOf('web'))).toEqual({ a: 'node(s) were unschedulable', b: '' })
    const daemon = podOf('daemon', { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } })
    expect(world.reasons(daemon)).toEqual({ a: '', b: '' })
  })

  it('wants another try when a node is uncordoned', () => {
    const world = pluginWorld([nodeUnschedulable], { nodes: [] })
    const change = { resource: 'Node', action: ACTION.updateNodeTaint } as const
    expect(world.hint(podOf('web'), change, cordoned, nodeOf('a'))).toBe('Queue')
    expect(world.hint(podOf('web'), change, nodeOf('a'), nodeOf('a'))).toBe('Skip')
  })
})
