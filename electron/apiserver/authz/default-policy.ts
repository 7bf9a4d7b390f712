/** The forms of the roles and bindings that every cluster has. */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Subject } from '../../api/rbac/v1/types.gen.ts'

const GROUP = 'rbac.authorization.k8s.io'
const API_VERSION = `${GROUP}/v1`
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'
const META = { annotations: { [AUTOUPDATE]: 'true' }, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }

export type DefaultRole = Pick<ClusterRole, 'apiVersion' | 'kind' | 'aggregationRule'> & {
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations: Record<string, string> }
  rules: PolicyRule[]
}
export type DefaultBinding = Pick<ClusterRoleBinding, 'apiVersion' | 'kind' | 'roleRef'> & {
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations: Record<string, string> }
  subjects: Subject[]
}

export const aggregateTo = (name: string) => `rbac.authorization.k8s.io/aggregate-to-${name}`

export function role(name: string, rules: PolicyRule[], labels: Record<string, string> = {}): DefaultRole {
  return { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: { name, ...META, labels: { ...META.labels, ...labels } }, rules }
}

/** Its rules are those of all roles with the label; a controller keeps them so. */
export function aggregated(name: string, labels: Record<string, string> = {}): DefaultRole {
  return { ...role(name, [], labels), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: 'true' } }] } }
}

export function bind(name: string, subjects: Subject[], to = name): DefaultBinding {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: { name, ...META },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: to },
    subjects,
  }
}

/** Within one namespace. */
export function roleIn(namespace: string, name: string, rules: PolicyRule[]): DefaultRole {
  return { apiVersion: API_VERSION, kind: 'Role', metadata: { name, namespace, ...META }, rules }
}

export function bindIn(namespace: string, name: string, subjects: Subject[], to = name): DefaultBinding {
  return {
    apiVersion: API_VERSION,
    kind: 'RoleBinding',
    metadata: { name, namespace, ...META },
    roleRef: { apiGroup: GROUP, kind: 'Role', name: to },
    subjects,
  }
}

export const group = (name: string): Subject => ({ apiGroup: GROUP, kind: 'Group', name })
export const user = (name: string): Subject => ({ apiGroup: GROUP, kind: 'User', name })
export const serviceAccount = (namespace: string, name: string): Subject => ({ kind: 'ServiceAccount', namespace, name })
