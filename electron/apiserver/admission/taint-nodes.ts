/** A new node gets no pods before it has said that it is ready. Source: kubernetes `plugin/pkg/admission/nodetaint`. */
import type { Node } from '../../api/core/v1/types.gen.ts'
import type { AdmissionPlugin } from './admission.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'

export const taintNodes: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: ({ operation, kind, subresource }) =>
    operation === 'CREATE' && subresource === '' && kind.group === '' && kind.resource === 'nodes',
  admit({ object }) {
    const { spec } = object as Node
    if (spec.taints?.some(({ key, effect }) => key === NOT_READY && effect === 'NoSchedule')) return
    spec.taints = [...(spec.taints ?? []), { key: NOT_READY, effect: 'NoSchedule' }]
  },
}
