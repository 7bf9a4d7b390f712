import type { Node, Taint, Toleration } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { unresolvable } from '../../framework/status.ts'
import { anyTolerates } from '../../matching/tolerations.ts'

const name = 'NodeUnschedulable'
const REASONS = ['node(s) were unschedulable']
const TAINT: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
const EVIDENCE = [{ type: 'taint', key: TAINT.key, value: '', effect: TAINT.effect }] as const

/** Keeps pods off cordoned nodes, unless they bear the taint that goes with it. */
export const nodeUnschedulable = definePlugin({
  name,
  defaults: {},
  create(): AnyPlugin {
    const bears = (tolerations: readonly Toleration[] | undefined) => anyTolerates(tolerations, TAINT)
    return {
      name,
      ofNodeAlone: true,
      events: [
        {
          event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeTaint },
          hint(_pod, old, now) {
            const isOpen = !(now as Node).spec.unschedulable
            const wasOpen = old !== undefined && !(old as Node).spec.unschedulable
            return isOpen && !wasOpen ? 'Queue' : 'Skip'
          },
        },
        {
          event: { resource: 'TargetPod', action: ACTION.updatePodToleration },
          hint: ({ pod }) => (bears(pod.spec.tolerations) ? 'Queue' : 'Skip'),
        },
      ],
      filter: (_cycle, { pod }, node) =>
        !node.unschedulable || bears(pod.spec.tolerations) ? null : unresolvable(name, REASONS, EVIDENCE),
    }
  },
})
