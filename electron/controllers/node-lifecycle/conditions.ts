/** What is said of a node that says nothing. Source: kubernetes `pkg/controller/nodelifecycle`. */
import type { Node, NodeCondition } from '../../api/core/v1/types.gen.ts'
import type { Time } from '../../api/meta/v1/object.ts'

/** NetworkUnavailable stays: it says how the node is wired, not how it does. */
const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** The conditions with those that a kubelet reports as unknown; the same list if they are. */
export function unknownConditions({ metadata, status }: Node, now: Time): readonly NodeCondition[] {
  const old = status.conditions ?? []
  const next = old.map((condition): NodeCondition => {
    if (!TYPES.includes(condition.type) || condition.status === 'Unknown') return condition
    const said = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
    return { ...condition, status: 'Unknown', ...said, lastTransitionTime: now }
  })
  for (const type of TYPES.filter((wanted) => !old.some((condition) => condition.type === wanted))) {
    next.push({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: metadata.creationTimestamp,
      lastTransitionTime: now,
    })
  }
  return next.length === old.length && next.every((condition, i) => condition === old[i]) ? old : next
}
