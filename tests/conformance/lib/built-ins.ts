/** Every group, version and resource that each Kubernetes 1.36 cluster serves below /apis. Source: its API reference, stable versions. */
const RESOURCES: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1':
    'mutatingadmissionpolicies mutatingadmissionpolicybindings mutatingwebhookconfigurations ' +
    'validatingadmissionpolicies validatingadmissionpolicybindings validatingwebhookconfigurations',
  'apiextensions.k8s.io/v1': 'customresourcedefinitions',
  'apiregistration.k8s.io/v1': 'apiservices',
  'apps/v1': 'controllerrevisions daemonsets deployments replicasets statefulsets',
  'authentication.k8s.io/v1': 'selfsubjectreviews tokenreviews',
  'authorization.k8s.io/v1': 'localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews subjectaccessreviews',
  'autoscaling/v1': 'horizontalpodautoscalers',
  'autoscaling/v2': 'horizontalpodautoscalers',
  'batch/v1': 'cronjobs jobs',
  'certificates.k8s.io/v1': 'certificatesigningrequests',
  'coordination.k8s.io/v1': 'leases',
  'discovery.k8s.io/v1': 'endpointslices',
  'events.k8s.io/v1': 'events',
  'flowcontrol.apiserver.k8s.io/v1': 'flowschemas prioritylevelconfigurations',
  'networking.k8s.io/v1': 'ingressclasses ingresses ipaddresses networkpolicies servicecidrs',
  'node.k8s.io/v1': 'runtimeclasses',
  'policy/v1': 'poddisruptionbudgets',
  'rbac.authorization.k8s.io/v1': 'clusterrolebindings clusterroles rolebindings roles',
  'resource.k8s.io/v1': 'deviceclasses resourceclaims resourceclaimtemplates resourceslices',
  'scheduling.k8s.io/v1': 'priorityclasses',
  'storage.k8s.io/v1': 'csidrivers csinodes csistoragecapacities storageclasses volumeattachments volumeattributesclasses',
}

/** "apps/v1/deployments". */
export const BUILT_INS: readonly string[] = Object.entries(RESOURCES).flatMap(([groupVersion, names]) =>
  names.split(' ').map((name) => `${groupVersion}/${name}`),
)
