/** What a node's agent may write into what it may write. Source: kubernetes NodeRestriction admission plugin, KEP-279. */
import type { TokenRequest } from '../../api/authentication/v1/types.gen.ts'
import type { Node, Pod } from '../../api/core/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { forbidden } from '../../machinery/status.ts'
import type { AdmissionCheck, AdmissionRequest } from '../types.ts'
import { nodeOf } from './node-identity.ts'
import type { NodeReferences } from './node-references.ts'

/** Labels under Kubernetes' own domains that a node may set on itself; others there are the administrator's. */
const OWN_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
])
const OWN_LABEL_DOMAINS = /^(?:.+\.)?(?:kubelet|node)\.kubernetes\.io\//
const RESTRICTED_DOMAIN = /^(?:.+\.)?node-restriction\.kubernetes\.io\//
const KUBERNETES_DOMAIN = /^(?:.+\.)?(?:kubernetes|k8s)\.io\//

export function nodeRestriction(references: NodeReferences): AdmissionCheck {
  return async (request) => {
    const node = nodeOf(request.user)
    if (node === null) return
    switch (groupResource(request.kind)) {
      case 'nodes':
        return checkNode(node, request)
      case 'pods':
        return checkPod(node, request)
      case 'serviceaccounts':
        return checkToken(node, request, references)
      case 'leases.coordination.k8s.io':
      case 'csinodes.storage.k8s.io':
        if (request.name !== node) throw refuse(request, `node ${JSON.stringify(node)} can only write its own`)
        return
      default:
    }
  }
}

function checkNode(node: string, request: AdmissionRequest): void {
  const { name, operation, subresource } = request
  if (name !== node) throw refuse(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`)
  const object = request.object as Node | null
  const old = request.old as Node | null
  if (!object) return
  if (operation === 'UPDATE' && subresource === '' && !semanticEqual(object.spec.taints, old?.spec.taints))
    throw refuse(request, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  if (!semanticEqual(object.metadata.ownerReferences, old?.metadata.ownerReferences))
    throw refuse(request, `node ${JSON.stringify(node)} is not allowed to modify ownerReferences`)
  const labels = changedLabels(object, old).filter(isForbiddenLabel).sort()
  if (labels.length) throw refuse(request, `is not allowed to set or modify the following labels: ${labels.join(', ')}`)
}

function checkPod(node: string, request: AdmissionRequest): void {
  const { operation, subresource } = request
  if (operation === 'CREATE' && subresource === '')
    throw refuse(request, `node ${JSON.stringify(node)} can only create mirror pods, which this cluster has none of`)
  const pod = (request.old ?? request.object) as Pod
  if (subresource === 'eviction') return
  if (pod.spec.nodeName !== node)
    throw refuse(request, `node ${JSON.stringify(node)} can only ${operation.toLowerCase()} pods with spec.nodeName set to itself`)
  if (operation === 'UPDATE' && subresource !== 'status') throw refuse(request, `node ${JSON.stringify(node)} can only update pod status`)
  if (operation === 'UPDATE' && request.object && changedLabels(request.object, request.old).length)
    throw refuse(request, `node ${JSON.stringify(node)} cannot update labels through pod status`)
}

function checkToken(node: string, request: AdmissionRequest, references: NodeReferences): void {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return
  const ref = (request.object as TokenRequest | null)?.spec.boundObjectRef
  if (ref?.kind !== 'Pod' || ref.apiVersion !== 'v1' || !ref.name) throw refuse(request, 'node requested token not bound to a pod')
  if (!ref.uid) throw refuse(request, 'node requested token with a pod binding without a uid')
  if (references.nodeOfPod(request.namespace, ref.name) !== node)
    throw refuse(request, 'node requested token bound to a pod scheduled on a different node')
}

function changedLabels(object: KubeObject, old: KubeObject | null): string[] {
  const now = object.metadata.labels ?? {}
  const before = old?.metadata.labels ?? {}
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((label) => now[label] !== before[label])
}

function isForbiddenLabel(label: string): boolean {
  if (RESTRICTED_DOMAIN.test(label)) return true
  return KUBERNETES_DOMAIN.test(label) && !OWN_LABELS.has(label) && !OWN_LABEL_DOMAINS.test(label)
}

function refuse(request: AdmissionRequest, why: string) {
  return forbidden({ group: request.kind.group, resource: request.kind.resource }, request.name, why)
}
