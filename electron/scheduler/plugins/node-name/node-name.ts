import { ACTION } from '../../framework/events.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP, unresolvable } from '../../framework/status.ts'

const name = 'NodeName'
const REASONS = ["node(s) didn't match the requested node name"]

/** The node of `spec.nodeName`, where it is given. */
export const nodeName = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    ofNodeAlone: true,
    events: [{ event: { resource: 'Node', action: ACTION.add } }],
    preFilter: (_cycle, { pod }) => (pod.spec.nodeName ? null : SKIP),
    filter(_cycle, { pod }, node) {
      const wanted = pod.spec.nodeName
      return !wanted || wanted === node.name ? null : unresolvable(name, REASONS, [{ type: 'nodeName', wanted }])
    },
  }),
})
