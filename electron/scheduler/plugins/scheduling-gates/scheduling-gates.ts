import { ACTION } from '../../framework/events.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { unresolvable } from '../../framework/status.ts'

const name = 'SchedulingGates'

/** Holds a pod back until all its gates are taken away (KEP-3521). */
export const schedulingGates = definePlugin({
  name,
  defaults: {},
  create(): AnyPlugin {
    return {
      name,
      events: [
        {
          event: { resource: 'TargetPod', action: ACTION.updatePodGatesEliminated },
          hint: ({ pod }) => (pod.spec.schedulingGates?.length ? 'Skip' : 'Queue'),
        },
      ],
      preEnqueue({ pod }) {
        const gates = pod.spec.schedulingGates ?? []
        return gates.length ? unresolvable(name, [`waiting for scheduling gates: [${gates.map((gate) => gate.name).join(' ')}]`]) : null
      },
    }
  },
})
