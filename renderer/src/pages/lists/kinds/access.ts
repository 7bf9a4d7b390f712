/** Who may do what. */
import type { ServiceAccount } from '../../../../../electron/api/core/v1/types.gen.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '../../../../../electron/api/rbac/v1/types.gen.ts'
import { t } from '../../../i18n/index.ts'
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS } from '../../../kube/resources.ts'
import { linkTo } from '../../../router/links.ts'
import { ageColumn, nameColumn, namespaceColumn } from '../columns.ts'
import { text, type ListChip, type ListColumn, type ListDef } from '../list-def.ts'

/** What Kubernetes needs for itself is many, and seldom what is looked for. */
const own = (): ListChip => ({
  id: 'own',
  label: 'list.chip.notBuiltIn',
  icon: 'filter',
})

/** "get, list pods, services; * deployments.apps" */
const rulesText = (rules: readonly PolicyRule[] | undefined): string =>
  (rules ?? [])
    .map(({ verbs, resources, apiGroups, nonResourceURLs }) => {
      const group = apiGroups?.length === 1 && apiGroups[0] ? `.${apiGroups[0]}` : ''
      return `${verbs.join(', ')} ${(nonResourceURLs ?? resources?.map((resource) => resource + group) ?? []).join(', ')}`
    })
    .join('; ')
const rulesColumns = <T extends { rules?: readonly PolicyRule[] }>(): ListColumn<T>[] => [
  {
    id: 'count',
    label: t('column.rules'),
    min: 52,
    align: 'right',
    drop: 6,
    cell: (role) => text(role.rules?.length ?? 0),
  },
  {
    id: 'rules',
    label: t('column.allows'),
    min: 200,
    grow: 2,
    drop: 5,
    cell: (role) => text(rulesText(role.rules), { title: rulesText(role.rules) }),
  },
]

const subjectText = ({ kind, namespace, name }: Subject) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : `${kind} ${name}`)
const bindingColumns = <T extends RoleBinding | ClusterRoleBinding>(): ListColumn<T>[] => [
  {
    id: 'role',
    label: t('column.role'),
    min: 170,
    grow: 0.8,
    cell: ({ metadata, roleRef: { kind, name } }) => ({
      type: 'link',
      text: name,
      to: linkTo(kind === 'ClusterRole' ? { resource: CLUSTER_ROLES, name } : { resource: ROLES, namespace: metadata.namespace, name }),
    }),
  },
  {
    id: 'subjects',
    label: t('column.subjects'),
    min: 180,
    grow: 1.2,
    cell: ({ subjects }) => text((subjects ?? []).map(subjectText).join(', '), { title: (subjects ?? []).map(subjectText).join(', ') }),
  },
]

const serviceAccounts: ListDef<ServiceAccount> = {
  resource: SERVICE_ACCOUNTS,
  title: 'nav.serviceaccounts',
  icon: 'serviceaccount',
  columns: () => [
    nameColumn(SERVICE_ACCOUNTS),
    namespaceColumn(),
    {
      id: 'token',
      label: t('column.tokenMounted'),
      min: 110,
      cell: (account) => text(t(account.automountServiceAccountToken === false ? 'common.no' : 'common.yes')),
    },
    {
      id: 'pull',
      label: t('column.pullSecrets'),
      min: 120,
      grow: 0.6,
      drop: 5,
      cell: (account) => text((account.imagePullSecrets ?? []).map((secret) => secret.name).join(', ')),
    },
    ageColumn(),
  ],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

const roles: ListDef<Role> = {
  resource: ROLES,
  title: 'nav.roles',
  icon: 'role',
  columns: () => [nameColumn(ROLES), namespaceColumn(), ...rulesColumns<Role>(), ageColumn()],
  chips: [own()],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.roles', text: 'list.empty.rolesText' },
}

const clusterRoles: ListDef<ClusterRole> = {
  resource: CLUSTER_ROLES,
  title: 'nav.clusterroles',
  icon: 'role',
  columns: () => [nameColumn(CLUSTER_ROLES), ...rulesColumns<ClusterRole>(), ageColumn()],
  chips: [own(), { id: 'aggregated', label: 'list.chip.aggregated', icon: 'plus' }],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

const roleBindings: ListDef<RoleBinding> = {
  resource: ROLE_BINDINGS,
  title: 'nav.rolebindings',
  icon: 'binding',
  columns: () => [nameColumn(ROLE_BINDINGS), namespaceColumn(), ...bindingColumns<RoleBinding>(), ageColumn()],
  chips: [own()],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.rolebindings', text: 'list.empty.rolebindingsText' },
}

const clusterRoleBindings: ListDef<ClusterRoleBinding> = {
  resource: CLUSTER_ROLE_BINDINGS,
  title: 'nav.clusterrolebindings',
  icon: 'binding',
  columns: () => [nameColumn(CLUSTER_ROLE_BINDINGS), ...bindingColumns<ClusterRoleBinding>(), ageColumn()],
  chips: [own()],
  actions: ['edit', 'delete'],
  empty: { title: 'list.empty.other', text: 'list.empty.otherText' },
}

export const ACCESS_LISTS = [serviceAccounts, roles, clusterRoles, roleBindings, clusterRoleBindings] as const
