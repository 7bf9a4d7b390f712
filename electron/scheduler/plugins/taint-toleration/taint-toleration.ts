import type { Node, Toleration } from '../../../api/core/v1/types.gen.ts'
import { ACTION } from '../../framework/events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import { definePlugin } from '../../framework/descriptor.ts'
import { normalizeByLargest } from '../../framework/normalize.ts'
import type { AnyPlugin } from '../../framework/plugin.ts'
import { unresolvable } from '../../framework/status.ts'
import { anyTolerates, firstUntolerated, isHard } from '../../matching/tolerations.ts'

const name = 'TaintToleration'
/** Tolerations that bear PreferNoSchedule. */
const soft = stateKey<readonly Toleration[]>(name)

/** Keeps pods off nodes whose taints they do not bear; of the rest, those with fewer soft taints are liked better. */
export const taintToleration = definePlugin({
  name,
  weight: 3,
  defaults: {},
  create: (): AnyPlugin => ({
    name,
    ofNodeAlone: true,
    events: [
      {
        event: { resource: 'Node', action: ACTION.add | ACTION.updateNodeTaint },
        hint({ pod }, old, now) {
          const bears = (node: Node) => !firstUntolerated(node.spec.taints?.filter(isHard) ?? [], pod.spec.tolerations)
          return bears(now as Node) && !(old && bears(old as Node)) ? 'Queue' : 'Skip'
        },
      },
      { event: { resource: 'TargetPod', action: ACTION.updatePodToleration } },
    ],
    filter(_cycle, { pod }, { hardTaints }) {
      if (hardTaints.length === 0) return null
      const taint = firstUntolerated(hardTaints, pod.spec.tolerations)
      if (!taint) return null
      const { key, value = '', effect } = taint
      return unresolvable(name, ['node(s) had untolerated taint(s)'], [{ type: 'taint', key, value, effect }])
    },
    preScore({ state }, { pod }) {
      const tolerations = pod.spec.tolerations ?? []
      state.write(
        soft,
        tolerations.filter(({ effect }) => !effect || effect === 'PreferNoSchedule'),
      )
      return null
    },
    score({ state }, _pod, { softTaints }) {
      if (softTaints.length === 0) return 0
      const tolerations = state.read(soft)
      return softTaints.filter((taint) => !anyTolerates(tolerations, taint)).length
    },
    normalize: (_cycle, _pod, scores) => normalizeByLargest(scores, true),
  }),
})
