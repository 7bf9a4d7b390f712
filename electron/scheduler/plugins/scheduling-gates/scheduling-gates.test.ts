import { expect, test } from 'vitest'
import { ACTION } from '../../framework/events.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { schedulingGates } from './scheduling-gates.ts'

test('holds a pod back while it has gates, and names them', () => {
  const { framework, hint } = pluginWorld([schedulingGates], { nodes: [] })
  const gated = podOf('web', { spec: { schedulingGates: [{ name: 'a.example/x' }, { name: 'b.example/y' }] } })
  expect(framework.preEnqueue(new PodInfo(gated))?.reasons).toEqual(['waiting for scheduling gates: [a.example/x b.example/y]'])
  expect(framework.preEnqueue(new PodInfo(podOf('web')))).toBeNull()
  const event = { resource: 'TargetPod', action: ACTION.updatePodGatesEliminated } as const
  expect(hint(podOf('web'), event, gated, podOf('web'))).toBe('Queue')
})
