import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, decoded, row, stored, updated } from '../../testing/rules.ts'
import { clusterRoleBinding } from './cluster-role-binding.ts'
import { clusterRole } from './cluster-role.ts'
import { roleBinding } from './role-binding.ts'
import { role } from './role.ts'

const GROUP = 'rbac.authorization.k8s.io'
const rule = (more: Loose = {}) => ({ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...more })
const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: 'view' }
const user = { kind: 'User', name: 'ada' }

describe('a role', () => {
  it.each<[what: string, rules: Loose[], ofNamespace: string[], ofCluster: string[]]>([
    ['without rules', [], [], []],
    ['of pods', [rule()], [], []],
    [
      'that allows nothing',
      [rule({ verbs: [] })],
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      'of nothing',
      [rule(), { verbs: ['get'] }],
      [
        'rules[1].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[1].resources: Required value: resource rules must supply at least one resource',
      ],
      [
        'rules[1].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[1].resources: Required value: resource rules must supply at least one resource',
      ],
    ],
    [
      'of paths',
      [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
      ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs'],
      [],
    ],
    [
      'of paths and resources',
      [rule({ nonResourceURLs: ['/healthz'] })],
      [
        'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
      ],
      ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs'],
    ],
  ])('%s', (_, rules, ofNamespace, ofCluster) => {
    expect(created(role, { rules }).errors).toEqual(ofNamespace)
    expect(created(clusterRole, { rules }).errors).toEqual(ofCluster)
  })

  it('of other roles says which', () => {
    expect(created(clusterRole, { aggregationRule: {} }).errors).toEqual([
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ])
    const clusterRoleSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Some' }] }]
    expect(created(clusterRole, { aggregationRule: { clusterRoleSelectors } }).errors).toEqual([
      'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "Some": not a valid selector operator',
    ])
  })

  it('may have the names that the system uses', () => {
    expect(clusterRole.validateName('system:node')).toEqual([])
    expect(role.validateName('a/b')).toEqual(["may not contain '/'"])
  })
})

describe('a binding', () => {
  it('means the group of roles by default', () => {
    const subjects = [user, { kind: 'ServiceAccount', name: 'a', namespace: 'b' }]
    expect(decoded(roleBinding, { roleRef: { kind: 'Role', name: 'a' }, subjects })).toMatchObject({
      roleRef: { apiGroup: GROUP },
      subjects: [{ apiGroup: GROUP }, { kind: 'ServiceAccount' }],
    })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', { roleRef, subjects: [user] }, []],
    [
      'to nothing',
      { roleRef: { apiGroup: 'a', kind: 'Pod', name: '' } },
      [
        `roleRef.apiGroup: Unsupported value: "a": supported values: "${GROUP}"`,
        'roleRef.kind: Unsupported value: "Pod": supported values: "ClusterRole"',
        'roleRef.name: Required value',
      ],
    ],
    ['to a name that is a path', { roleRef: { ...roleRef, name: 'a/b' } }, ['roleRef.name: Invalid value: "a/b": may not contain \'/\'']],
    [
      'for nobody',
      {
        roleRef,
        subjects: [
          { kind: 'Pod', name: 'a' },
          { kind: 'User', name: '' },
          { kind: 'Group', name: 'g', apiGroup: 'x' },
        ],
      },
      [
        'subjects[0].kind: Unsupported value: "Pod": supported values: "ServiceAccount", "User", "Group"',
        'subjects[1].name: Required value',
        `subjects[2].apiGroup: Unsupported value: "x": supported values: "${GROUP}"`,
      ],
    ],
    [
      'for an account of no namespace',
      { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
      ['subjects[0].namespace: Required value'],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(clusterRoleBinding, manifest).errors).toEqual(errors)
  })

  it('in a namespace may be to its own roles and for its own accounts', () => {
    const manifest = { roleRef: { kind: 'Role', name: 'a' }, subjects: [{ kind: 'ServiceAccount', name: 'a' }] }
    expect(created(roleBinding, manifest).errors).toEqual([])
    expect(created(clusterRoleBinding, { roleRef: { kind: 'Role', name: 'a' } }).errors).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ])
  })

  it('keeps its role', () => {
    const old = stored(clusterRoleBinding, { roleRef })
    const more = updated(clusterRoleBinding, old, (binding) => {
      binding.subjects = [{ kind: 'Group', name: 'g' }]
    })
    expect(more.errors).toEqual([])
    const other = updated(clusterRoleBinding, old, (binding) => {
      binding.roleRef = { ...roleRef, name: 'admin' }
    })
    expect(other.errors).toEqual([
      `roleRef: Invalid value: {"apiGroup":"${GROUP}","kind":"ClusterRole","name":"admin"}: cannot change roleRef`,
    ])
  })

  it('is shown with whom it is for', () => {
    const subjects = [
      user,
      { kind: 'Group', name: 'g' },
      { kind: 'User', name: 'bob' },
      { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
    ]
    expect(row(clusterRoleBinding, stored(clusterRoleBinding, { roleRef, subjects }))).toEqual({
      Role: 'ClusterRole/view',
      Age: '60m',
      Users: 'ada, bob',
      Groups: 'g',
      ServiceAccounts: 'b/a',
    })
  })
})

describe('roles without rules', () => {
  it('say so, as Kubernetes always writes the field', () => {
    expect(decoded(role).rules).toEqual([])
    expect(decoded(clusterRole, { aggregationRule: { clusterRoleSelectors: [{}] } }).rules).toEqual([])
  })
})
