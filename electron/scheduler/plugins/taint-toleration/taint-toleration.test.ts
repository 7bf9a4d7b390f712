import { describe, expect, it } from 'vitest'
import type { Taint, Toleration } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { taintToleration } from './taint-toleration.ts'

const taint = (effect: Taint['effect'], value = 'db'): Taint => ({ key: 'dedicated', value, effect })
const bearing = (...tolerations: Toleration[]) => podOf('web', { spec: { tolerations } })

describe('TaintToleration', () => {
  it.each<[string, Toleration, boolean]>([
    ['the same value', { key: 'dedicated', operator: 'Equal', value: 'db' }, true],
    ['another value', { key: 'dedicated', operator: 'Equal', value: 'web' }, false],
    ['any value', { key: 'dedicated', operator: 'Exists' }, true],
    ['any key', { operator: 'Exists' }, true],
    ['another effect', { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
    ['no operator, which is Equal', { key: 'dedicated', value: 'db' }, true],
  ])('a toleration of %s', (_name, toleration, isBorne) => {
    const world = pluginWorld([taintToleration], { nodes: [nodeOf('a', { taints: [taint('NoSchedule')] })] })
    expect(world.reasons(bearing(toleration))).toEqual({ a: isBorne ? '' : 'node(s) had untolerated taint(s)' })
  })

  it('shows the taint that is not borne', () => {
    const world = pluginWorld([taintToleration], { nodes: [nodeOf('a', { taints: [taint('NoExecute')] })] })
    const { a: status } = world.statuses(podOf('web'))
    expect(status?.evidence).toEqual([{ type: 'taint', key: 'dedicated', value: 'db', effect: 'NoExecute' }])
    expect(status?.code).toBe('UnschedulableAndUnresolvable')
  })

  it('lets soft taints pass, and likes nodes that have fewer of them', () => {
    const world = pluginWorld([taintToleration], {
      nodes: [
        nodeOf('two', { taints: [taint('PreferNoSchedule'), { key: 'old', effect: 'PreferNoSchedule' }] }),
        nodeOf('one', { taints: [taint('PreferNoSchedule')] }),
        nodeOf('none'),
      ],
    })
    expect(world.reasons(podOf('web'))).toEqual({ two: '', one: '', none: '' })
    expect(world.scores(podOf('web'), 'TaintToleration')).toEqual({ two: 0, one: 50, none: 100 })
    const bears = bearing({ key: 'dedicated', operator: 'Exists', effect: 'PreferNoSchedule' })
    expect(world.scores(bears, 'TaintToleration')).toEqual({ two: 0, one: 100, none: 100 })
  })

  it('wants another try when a taint that is not borne goes away', () => {
    const world = pluginWorld([taintToleration], { nodes: [] })
    const change = { resource: 'Node', action: ACTION.updateNodeTaint } as const
    const tainted = nodeOf('a', { taints: [taint('NoSchedule')] })
    expect(world.hint(podOf('web'), change, tainted, nodeOf('a'))).toBe('Queue')
    expect(world.hint(podOf('web'), change, nodeOf('a'), tainted)).toBe('Skip')
    expect(world.hint(podOf('web'), change, nodeOf('a'), nodeOf('a'))).toBe('Skip')
  })
})
