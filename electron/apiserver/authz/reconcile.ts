/** Makes the default roles and bindings when the server starts, and puts back what they lost. Source: kubernetes "Auto-reconciliation". */
import { clusterRoleBinding } from '../../api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../api/rbac/v1/cluster-role.ts'
import type { ClusterRole, ClusterRoleBinding, Subject } from '../../api/rbac/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { mapLimit } from '../../base/async.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import { compact, uncovered } from './covers.ts'
import { AUTOUPDATE, DEFAULT_BINDINGS, DEFAULT_ROLES, type DefaultBinding, type DefaultRole } from './default-roles.ts'

/** Adds what is missing and takes nothing away. Objects whose autoupdate annotation is not "true" are left alone. */
export async function reconcileDefaults(client: Client, signal?: AbortSignal): Promise<void> {
  await mapLimit(DEFAULT_ROLES, 8, (wanted) => settle(() => reconcileRole(client, wanted, signal)))
  await mapLimit(DEFAULT_BINDINGS, 8, (wanted) => settle(() => reconcileBinding(client, wanted, signal)))
}

/** Once more for who lost a race with another writer. */
async function settle(attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    if (!hasReason(error, 'Conflict', 'AlreadyExists')) throw error
    await attempt()
  }
}

async function reconcileRole(client: Client, wanted: DefaultRole, signal?: AbortSignal): Promise<void> {
  const at = { name: wanted.metadata.name }
  const present = await client.get(clusterRole, at, { signal }).catch(missing)
  if (!present) return void (await client.create(clusterRole, wanted, { signal }))
  if (!mayUpdate(present)) return
  const lost = wanted.aggregationRule ? [] : uncovered(present.rules ?? [], wanted.rules)
  const aggregationRule = present.aggregationRule ?? wanted.aggregationRule
  if (!lost.length && hasLabels(present, wanted) && aggregationRule === present.aggregationRule) return
  const next: ClusterRole = {
    ...present,
    metadata: withLabels(present, wanted),
    rules: [...(present.rules ?? []), ...compact(lost)],
    ...(aggregationRule ? { aggregationRule } : {}),
  }
  await client.update(clusterRole, next, { signal })
}

async function reconcileBinding(client: Client, wanted: DefaultBinding, signal?: AbortSignal): Promise<void> {
  const at = { name: wanted.metadata.name }
  const present = await client.get(clusterRoleBinding, at, { signal }).catch(missing)
  if (!present) return void (await client.create(clusterRoleBinding, wanted, { signal }))
  if (!mayUpdate(present)) return
  // The role of a binding cannot be changed.
  if (present.roleRef.kind !== wanted.roleRef.kind || present.roleRef.name !== wanted.roleRef.name) {
    await client.delete(clusterRoleBinding, at, { preconditions: { uid: present.metadata.uid }, signal })
    await client.create(clusterRoleBinding, wanted, { signal })
    return
  }
  const held = new Set((present.subjects ?? []).map(subjectKey))
  const lost = wanted.subjects.filter((subject) => !held.has(subjectKey(subject)))
  if (!lost.length && hasLabels(present, wanted)) return
  const next: ClusterRoleBinding = { ...present, metadata: withLabels(present, wanted), subjects: [...(present.subjects ?? []), ...lost] }
  await client.update(clusterRoleBinding, next, { signal })
}

function missing(error: unknown): null {
  if (hasReason(error, 'NotFound')) return null
  throw error
}

function mayUpdate(object: KubeObject): boolean {
  return object.metadata.annotations?.[AUTOUPDATE] === 'true'
}

type Labelled = { metadata: { labels: Record<string, string> } }

function hasLabels(object: KubeObject, wanted: Labelled): boolean {
  return Object.entries(wanted.metadata.labels).every(([name, value]) => object.metadata.labels?.[name] === value)
}

function withLabels(object: KubeObject, wanted: Labelled): KubeObject['metadata'] {
  return { ...object.metadata, labels: { ...object.metadata.labels, ...wanted.metadata.labels } }
}

function subjectKey({ kind, namespace, name }: Subject): string {
  return `${kind} ${namespace ?? ''}/${name}`
}
