/** What the server knows of a kind beyond its description. */
import { groupResource, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'

/** Built-in kinds whose objects have no `metadata.generation`, as upstream's strategies never set one. */
const WITHOUT_GENERATION = new Set([
  'configmaps',
  'endpoints',
  'events',
  'events.events.k8s.io',
  'limitranges',
  'namespaces',
  'nodes',
  'persistentvolumeclaims',
  'persistentvolumes',
  'resourcequotas',
  'secrets',
  'serviceaccounts',
  'services',
  'controllerrevisions.apps',
  'horizontalpodautoscalers.autoscaling',
  'certificatesigningrequests.certificates.k8s.io',
  'leases.coordination.k8s.io',
  'ipaddresses.networking.k8s.io',
  'servicecidrs.networking.k8s.io',
  'runtimeclasses.node.k8s.io',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'clusterroles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'csistoragecapacities.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
])

/** Whose DELETE answers with the object that was; the others' with a Status. */
const RETURNS_DELETED = new Set([
  'namespaces',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
])

export function hasGeneration(kind: AnyKind): boolean {
  return !WITHOUT_GENERATION.has(groupResource(kind))
}

/** Whose dependents stay when a delete does not say what becomes of them, as in the first versions of these kinds. */
const ORPHANS = new Set(['replicationcontrollers', 'jobs.batch'])

export function orphansByDefault(kind: AnyKind): boolean {
  return ORPHANS.has(groupResource(kind))
}

export function returnsDeleted(kind: AnyKind): boolean {
  return RETURNS_DELETED.has(groupResource(kind))
}

/** Of Kubernetes' own API, not of its extensions, a CustomResourceDefinition or Flotilla, whose objects' metadata follow laxer rules. */
export function isBuiltIn(kind: AnyKind): boolean {
  return !kind.custom && kind.model.startsWith('io.k8s.api.')
}

/** By default everything counts but metadata and status. */
export function generationChanged(kind: AnyKind, object: KubeObject, old: KubeObject): boolean {
  if (kind.strategy.generationChanged) return kind.strategy.generationChanged(object, old)
  return !semanticEqual(withoutStatus(object), withoutStatus(old))
}

function withoutStatus(object: KubeObject): Record<string, unknown> {
  const {
    metadata: _metadata,
    status: _status,
    apiVersion: _apiVersion,
    kind: _kind,
    ...rest
  } = object as KubeObject & { status?: unknown }
  return rest
}
