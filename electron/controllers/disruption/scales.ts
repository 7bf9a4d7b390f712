/** How many pods the controllers of pods want. Source: kubernetes `pkg/controller/disruption` finders. */
import { deployment as deploymentKind } from '../../api/apps/v1/deployment.ts'
import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import { replicationController as replicationControllerKind } from '../../api/core/v1/replication-controller.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { readBody } from '../../client/bytes.ts'
import type { Client } from '../../client/client.ts'
import { responseError } from '../../client/errors.ts'
import type { Informers, Lister } from '../../client/informer.ts'
import { controllerOf } from '../../machinery/object.ts'
import { groupOf } from '../runtime/watches.ts'

export interface Scales {
  /** The sum over the pods' controllers, each counted once; pods that nobody controls are told apart. Throws if one cannot be asked. */
  total(pods: readonly Pod[]): Promise<{ count: number; unmanaged: readonly Pod[] }>
}

interface Scalable extends KubeObject {
  readonly spec: { readonly replicas?: number }
}

export function createScales(client: Client, informers: Informers): Scales {
  const deployments = informers.for(deploymentKind)
  const known: Readonly<Record<string, Lister<Scalable> | undefined>> = {
    'apps/ReplicaSet': informers.for(replicaSetKind),
    'apps/StatefulSet': informers.for(statefulSetKind),
    '/ReplicationController': informers.for(replicationControllerKind),
  }

  /** Null for a controller that is gone. */
  async function wanted(reference: OwnerReference, namespace: string): Promise<{ uid: string; count: number } | null> {
    const group = groupOf(reference.apiVersion)
    const lister = known[`${group}/${reference.kind}`]
    if (!lister) return scaleOf(client, reference, group, namespace)
    const object = lister.get(namespace, reference.name)
    if (!object || object.metadata.uid !== reference.uid) return null
    const owner = controllerOf(object)
    const above = owner?.kind === 'Deployment' && groupOf(owner.apiVersion) === 'apps' ? deployments.get(namespace, owner.name) : undefined
    const scaled = above?.metadata.uid === owner?.uid && above ? above : object
    return { uid: scaled.metadata.uid ?? '', count: scaled.spec.replicas ?? 1 }
  }

  return {
    async total(pods) {
      const counts = new Map<string, number>()
      const seen = new Set<string>()
      const unmanaged: Pod[] = []
      for (const pod of pods) {
        const reference = controllerOf(pod)
        if (!reference) unmanaged.push(pod)
        if (!reference || seen.has(reference.uid)) continue
        seen.add(reference.uid)
        const found = await wanted(reference, pod.metadata.namespace ?? '')
        if (found) counts.set(found.uid, found.count)
      }
      return { count: counts.values().reduce((sum, count) => sum + count, 0), unmanaged }
    },
  }
}

/** Any other kind says it by its scale, if it has one. */
async function scaleOf(
  client: Client,
  { apiVersion, kind, name, uid }: OwnerReference,
  group: string,
  namespace: string,
): Promise<{ uid: string; count: number } | null> {
  const root = group ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const list = await get<{ resources: { name: string; kind: string }[] }>(client, root)
  const resource = list?.resources.find((one) => one.kind === kind && !one.name.includes('/'))
  if (!resource) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  if (!list?.resources.some((one) => one.name === `${resource.name}/scale`))
    throw new Error(`${group ? `${resource.name}.${group}` : resource.name} does not implement the scale subresource`)
  const path = `${root}/namespaces/${namespace}/${resource.name}/${encodeURIComponent(name)}/scale`
  const scale = await get<Scalable>(client, path)
  return scale && scale.metadata.uid === uid ? { uid, count: scale.spec.replicas ?? 0 } : null
}

/** Null for what is not there. */
async function get<T>(client: Client, path: string): Promise<T | null> {
  const response = await client.request({ method: 'GET', path, headers: { accept: 'application/json' } })
  const body = await readBody(response)
  if (response.status === 404) return null
  if (response.status >= 400) throw responseError(response.status, body, path)
  return JSON.parse(body.toString('utf8')) as T
}
