/** Makes the default roles and bindings when the server starts, and puts back what they lost. Source: kubernetes "Auto-reconciliation". */
import type { Kind } from '../../api/kind.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { clusterRoleBinding } from '../../api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../api/rbac/v1/cluster-role.ts'
import { roleBinding } from '../../api/rbac/v1/role-binding.ts'
import { role } from '../../api/rbac/v1/role.ts'
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding, Subject } from '../../api/rbac/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { mapLimit } from '../../base/async.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import { compact, uncovered } from './covers.ts'
import { AUTOUPDATE, type DefaultBinding, type DefaultRole } from './default-policy.ts'
import { DEFAULT_BINDINGS, DEFAULT_ROLES } from './default-roles.ts'
import { NAMESPACED_BINDINGS, NAMESPACED_ROLES } from './default-namespaced-roles.ts'

const AT_ONCE = 8

/** Adds what is missing and takes nothing away. Objects whose autoupdate annotation is not "true" are left alone. */
export async function reconcileDefaults(client: Client, signal?: AbortSignal): Promise<void> {
  const all = <T>(wanted: readonly T[], reconcile: (one: T) => Promise<void>) =>
    mapLimit(wanted, AT_ONCE, (one) => settle(() => reconcile(one)))
  await ensureNamespaces(client, NAMESPACED_ROLES, signal)
  await all(DEFAULT_ROLES, (wanted) => reconcileRole(client, clusterRole, wanted, signal))
  await all(NAMESPACED_ROLES, (wanted) => reconcileRole(client, role, wanted, signal))
  await all(DEFAULT_BINDINGS, (wanted) => reconcileBinding(client, clusterRoleBinding, wanted, signal))
  await all(NAMESPACED_BINDINGS, (wanted) => reconcileBinding(client, roleBinding, wanted, signal))
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

async function ensureNamespaces(client: Client, roles: readonly DefaultRole[], signal?: AbortSignal): Promise<void> {
  for (const name of new Set(roles.flatMap(({ metadata }) => metadata.namespace ?? []))) {
    if (await client.get(namespaceKind, { name }, { signal }).catch(missing)) continue
    await settle(async () => void (await client.create(namespaceKind, { metadata: { name } }, { signal })))
  }
}

async function reconcileRole<T extends ClusterRole | Role>(
  client: Client,
  kind: Kind<T>,
  wanted: DefaultRole,
  signal?: AbortSignal,
): Promise<void> {
  const present = await presentOf(client, kind, wanted, signal)
  if (!present) return void (await client.create<KubeObject>(kind, wanted, { signal }))
  if (!mayUpdate(present)) return
  const lost = wanted.aggregationRule ? [] : uncovered(present.rules ?? [], wanted.rules)
  const aggregationRule = 'aggregationRule' in present ? present.aggregationRule : undefined
  const aggregates = aggregationRule ?? wanted.aggregationRule
  if (!lost.length && hasLabels(present, wanted) && aggregates === aggregationRule) return
  const next: T = {
    ...present,
    metadata: withLabels(present, wanted),
    rules: [...(present.rules ?? []), ...compact(lost)],
    ...(aggregates ? { aggregationRule: aggregates } : {}),
  }
  await client.update(kind, next, { signal })
}

async function reconcileBinding<T extends ClusterRoleBinding | RoleBinding>(
  client: Client,
  kind: Kind<T>,
  wanted: DefaultBinding,
  signal?: AbortSignal,
): Promise<void> {
  const present = await presentOf(client, kind, wanted, signal)
  if (!present) return void (await client.create<KubeObject>(kind, wanted, { signal }))
  if (!mayUpdate(present)) return
  // The role of a binding cannot be changed.
  if (present.roleRef.kind !== wanted.roleRef.kind || present.roleRef.name !== wanted.roleRef.name) {
    await client.delete(kind, placeOf(wanted), { preconditions: { uid: present.metadata.uid }, signal })
    await client.create<KubeObject>(kind, wanted, { signal })
    return
  }
  const held = new Set((present.subjects ?? []).map(subjectKey))
  const lost = wanted.subjects.filter((subject) => !held.has(subjectKey(subject)))
  if (!lost.length && hasLabels(present, wanted)) return
  const next: T = { ...present, metadata: withLabels(present, wanted), subjects: [...(present.subjects ?? []), ...lost] }
  await client.update(kind, next, { signal })
}

const placeOf = ({ metadata: { name, namespace } }: DefaultRole | DefaultBinding) => (namespace ? { name, namespace } : { name })

function presentOf<T extends KubeObject>(client: Client, kind: Kind<T>, wanted: DefaultRole | DefaultBinding, signal?: AbortSignal) {
  return client.get(kind, placeOf(wanted), { signal }).catch(missing)
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

function withLabels<T extends KubeObject>(object: T, wanted: Labelled): T['metadata'] {
  return { ...object.metadata, labels: { ...object.metadata.labels, ...wanted.metadata.labels } }
}

function subjectKey({ kind, namespace, name }: Subject): string {
  return `${kind} ${namespace ?? ''}/${name}`
}
