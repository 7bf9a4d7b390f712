/** Pods learn in which zone and region they run. Sources: KEP-4742, kubernetes `plugin/pkg/admission/podtopologylabels`. */
import type { Binding, Node, Pod } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

const NODES = { group: '', version: 'v1', resource: 'nodes' }
const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** Labels of a Binding come to be the pod's. The node's word holds against what is there. */
export function podTopologyLabels(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: ({ operation, kind, subresource }) =>
      operation === 'CREATE' && groupResource(kind) === 'pods' && (subresource === '' || subresource === 'binding'),
    async admit({ object, subresource }) {
      if (!object) return
      const name = subresource === 'binding' ? targetOf(object as Binding) : (object as Pod).spec.nodeName
      if (!name) return
      const node = await lookup.get<Node>(NODES, '', name)
      const found = LABELS.flatMap((label): [string, string][] => {
        const value = node?.metadata.labels?.[label]
        return value === undefined ? [] : [[label, value]]
      })
      if (found.length > 0) object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(found) }
    },
  }
}

function targetOf({ target }: Binding): string | undefined {
  return target.kind === 'Node' ? target.name : undefined
}
