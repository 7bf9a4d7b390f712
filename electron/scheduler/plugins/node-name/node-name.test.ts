import { expect, test } from 'vitest'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeName } from './node-name.ts'

test('a pod that names its node fits there only, and others anywhere', () => {
  const world = pluginWorld([nodeName], { nodes: [nodeOf('a'), nodeOf('b')] })
  expect(world.reasons(podOf('web', { on: 'b' }))).toEqual({ a: "node(s) didn't match the requested node name", b: '' })
  expect(world.reasons(podOf('web'))).toEqual({ a: '', b: '' })
})
