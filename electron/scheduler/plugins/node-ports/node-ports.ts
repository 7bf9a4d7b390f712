import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { SKIP, unschedulable } from '../../framework/status.ts'
import { hostPortsOf, portsConflict } from '../../snapshot/host-ports.ts'

const name = 'NodePorts'
const REASONS = ["node(s) didn't have free ports for the requested pod ports"]

/** Nodes whose ports that the pod wants are free. */
export const nodePorts = definePlugin({
  name,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    ofNodeAlone: true,
    events: [
      {
        event: { resource: 'AssignedPod', action: ACTION.delete },
        hint(pod, old) {
          const freed = hostPortsOf(old as Pod)
          return pod.hostPorts.some((port) => freed.some((other) => portsConflict(port, other))) ? 'Queue' : 'Skip'
        },
      },
      { event: { resource: 'Node', action: ACTION.add } },
    ],
    preFilter: (_cycle, pod) => (pod.hostPorts.length === 0 ? SKIP : null),
    filter(_cycle, pod, node) {
      const taken = pod.hostPorts.filter((port) => node.conflictsWith(port))
      if (taken.length === 0) return null
      return unschedulable(
        name,
        REASONS,
        taken.map((port) => ({ type: 'port', ...port })),
      )
    },
  }),
})
