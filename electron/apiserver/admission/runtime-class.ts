/** Pods get what their runtime class adds to them. Sources: KEP-585, kubernetes `plugin/pkg/admission/runtimeclass`. */
import type { Pod, PodSpec, Toleration } from '../../api/core/v1/types.gen.ts'
import type { RuntimeClass } from '../../api/node/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionRequest } from '../types.ts'
import type { AdmissionPlugin } from './admission.ts'

const RUNTIME_CLASSES = { group: 'node.k8s.io', version: 'v1', resource: 'runtimeclasses' }

export function runtimeClassAdmission(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    handles: ({ operation, kind, subresource }) =>
      operation === 'CREATE' && subresource === '' && kind.group === '' && kind.resource === 'pods',
    async admit(request) {
      const { spec } = request.object as Pod
      const name = spec.runtimeClassName
      if (name === undefined) {
        if (spec.overhead) throw refused(request, 'Pod Overhead set without corresponding RuntimeClass defined Overhead')
        return
      }
      const found = await lookup.get<RuntimeClass>(RUNTIME_CLASSES, '', name)
      if (!found) throw refused(request, `RuntimeClass "${name}" not found`)
      addOverhead(request, spec, found)
      addScheduling(request, spec, found)
    },
  }
}

function refused({ kind, name }: AdmissionRequest, why: string): Error {
  return forbidden(kind, name, `pod rejected: ${why}`)
}

function addOverhead(request: AdmissionRequest, spec: PodSpec, { overhead }: RuntimeClass): void {
  const fixed = overhead?.podFixed
  if (spec.overhead && !fixed) throw refused(request, 'Pod Overhead set without corresponding RuntimeClass defined Overhead')
  if (spec.overhead && !semanticEqual(spec.overhead, fixed))
    throw refused(request, "Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  if (fixed) spec.overhead = { ...fixed }
}

function addScheduling(request: AdmissionRequest, spec: PodSpec, { scheduling }: RuntimeClass): void {
  const { nodeSelector = {}, tolerations = [] } = scheduling ?? {}
  for (const [label, value] of Object.entries(nodeSelector)) {
    const own = spec.nodeSelector?.[label]
    if (own !== undefined && own !== value)
      throw refused(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`,
      )
  }
  if (Object.keys(nodeSelector).length) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector }
  const added = tolerations.filter((one) => !(spec.tolerations ?? []).some((own) => semanticEqual(own, one)))
  if (added.length) spec.tolerations = [...(spec.tolerations ?? []), ...structuredClone<readonly Toleration[]>(added)]
}
