import { expect, test } from 'vitest'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { prioritySort } from './priority-sort.ts'

test('the more important pod comes first, and of two alike the one that waits longer', () => {
  const { framework } = pluginWorld([prioritySort], { nodes: [] })
  const queued = (priority: number, timestamp: number) => ({ info: new PodInfo(podOf('p', { spec: { priority } })), timestamp })
  expect(framework.less(queued(10, 9), queued(1, 1))).toBe(true)
  expect(framework.less(queued(1, 1), queued(10, 9))).toBe(false)
  expect(framework.less(queued(1, 1), queued(1, 2))).toBe(true)
})
