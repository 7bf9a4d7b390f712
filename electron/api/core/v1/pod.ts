import { defineKind } from '../../kind.ts'
import { dns1123Label } from '../../values/names.ts'
import { podColumns } from './pod-columns.ts'
import { podGracePeriod, prepareNewPod, preparePodStatus } from './pod-spec/lifecycle.ts'
import { ephemeralContainersStrategy, resizeStrategy } from './pod-spec/parts.ts'
import { defaultPod } from './pod-spec/pod-defaults.ts'
import { validateNewPod, validatePod } from './pod-spec/pod.ts'
import { validatePodStatusUpdate } from './pod-spec/status.ts'
import { validatePodUpdate } from './pod-spec/update.ts'
import { podWarnings } from './pod-spec/warnings.ts'
import type { Pod } from './types.gen.ts'

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.Pod',
  subresources: {
    attach: { verbs: ['create', 'get'], kind: 'PodAttachOptions' },
    binding: { verbs: ['create'], kind: 'Binding' },
    ephemeralcontainers: { verbs: ['get', 'patch', 'update'], strategy: ephemeralContainersStrategy },
    eviction: { verbs: ['create'], group: 'policy', version: 'v1', kind: 'Eviction' },
    exec: { verbs: ['create', 'get'], kind: 'PodExecOptions' },
    log: { verbs: ['get'] },
    portforward: { verbs: ['create', 'get'], kind: 'PodPortForwardOptions' },
    proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'PodProxyOptions' },
    resize: { verbs: ['get', 'patch', 'update'], strategy: resizeStrategy },
    status: true,
  },
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec.hostNetwork ?? false),
    'status.phase': ({ status }) => status.phase ?? '',
    'status.podIP': ({ status }) => status.podIPs?.[0]?.ip ?? '',
    'status.podIPs': ({ status }) => (status.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': ({ status }) => status.nominatedNodeName ?? '',
  },
  strategy: {
    defaults: defaultPod,
    prepareForCreate: prepareNewPod,
    prepareForStatusUpdate: preparePodStatus,
    // Only what is stored has a version.
    validate: (pod) => (pod.metadata.resourceVersion ? validatePod(pod) : validateNewPod(pod)),
    validateUpdate: validatePodUpdate,
    validateStatusUpdate: validatePodStatusUpdate,
    warnings: (pod, old) => (old ? [] : newPodWarnings(pod)),
    gracePeriod: podGracePeriod,
  },
})

function newPodWarnings({ metadata, spec }: Pod): string[] {
  const faults = dns1123Label(metadata.name)
  const why = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
  return [...(faults.length ? [`metadata.name: ${why}: [${faults.join(' ')}]`] : []), ...podWarnings(spec, metadata)]
}
