/** What both kinds of bindings have in common. Sources: kubernetes `apis/rbac/v1/defaults.go`, `apis/rbac/validation`. */
import { ageColumn } from '../../columns.ts'
import type { Column } from '../../kind.ts'
import { invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { semanticEqual } from '../../values/equal.ts'
import { nameIsDnsSubdomain, pathSegmentName } from '../../values/names.ts'
import type { ClusterRoleBinding, RoleBinding, Subject } from './types.gen.ts'

export type Binding = RoleBinding | ClusterRoleBinding

export const RBAC_GROUP = 'rbac.authorization.k8s.io'
const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group']

export function defaultBinding({ roleRef, subjects }: Binding): void {
  roleRef.apiGroup ||= RBAC_GROUP
  for (const subject of subjects ?? []) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP
}

/** `roleKinds`: what it may refer to. In a namespace a service account is by default of that namespace. */
export function validateBinding({ roleRef, subjects }: Binding, roleKinds: readonly string[], namespaced: boolean): FieldError[] {
  const { apiGroup, kind, name } = roleRef
  const out: FieldError[] = []
  if (apiGroup !== RBAC_GROUP) out.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]))
  if (!roleKinds.includes(kind)) out.push(notSupported('roleRef.kind', kind, roleKinds))
  out.push(...(name ? invalidEach('roleRef.name', name, pathSegmentName(name)) : [required('roleRef.name')]))
  return [...out, ...(subjects ?? []).flatMap((subject, i) => validateSubject(subject, namespaced, `subjects[${i}]`))]
}

function validateSubject({ kind, name, namespace, apiGroup = '' }: Subject, namespaced: boolean, field: string): FieldError[] {
  const out = name ? [] : [required(`${field}.name`)]
  if (!SUBJECT_KINDS.includes(kind)) return [...out, notSupported(`${field}.kind`, kind, SUBJECT_KINDS)]
  if (kind !== 'ServiceAccount') {
    return apiGroup === RBAC_GROUP ? out : [...out, notSupported(`${field}.apiGroup`, apiGroup, [RBAC_GROUP])]
  }
  if (name) out.push(...invalidEach(`${field}.name`, name, nameIsDnsSubdomain(name)))
  if (apiGroup) out.push(notSupported(`${field}.apiGroup`, apiGroup, ['']))
  if (!namespaced && !namespace) out.push(required(`${field}.namespace`))
  return out
}

/** Who may bind may not turn what others were bound to into something else. */
export function validateBindingUpdate({ roleRef }: Binding, old: Binding): FieldError[] {
  return semanticEqual(roleRef, old.roleRef) ? [] : [invalid('roleRef', roleRef, 'cannot change roleRef')]
}

function namesOf(kind: string): Column<Binding>['value'] {
  return ({ subjects }) =>
    (subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(({ namespace, name }) => (kind !== 'ServiceAccount' ? name : namespace ? `${namespace}/${name}` : name))
      .join(', ')
}

export const bindingColumns: readonly Column<Binding>[] = [
  { name: 'Role', type: 'string', description: 'The role that is granted', value: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
  ageColumn,
  { name: 'Users', type: 'string', priority: 1, description: 'Users who have it', value: namesOf('User') },
  { name: 'Groups', type: 'string', priority: 1, description: 'Groups that have it', value: namesOf('Group') },
  { name: 'ServiceAccounts', type: 'string', priority: 1, description: 'Service accounts that have it', value: namesOf('ServiceAccount') },
]
