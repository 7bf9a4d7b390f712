import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyRule, Subject } from '../../api/rbac/v1/types.gen.ts'
import type { UserInfo } from '../types.ts'
import { uncovered } from './covers.ts'
import { RbacPolicy, type AnyBinding, type AnyRole } from './policy.ts'
import { probeOf } from './rules.ts'

const META = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
const role = (name: string, rules: PolicyRule[], namespace?: string): AnyRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace ? 'Role' : 'ClusterRole',
  metadata: { ...META, name, ...(namespace ? { namespace } : {}) },
  rules,
})
const binding = (name: string, refKind: string, refName: string, subjects: Subject[], namespace?: string): AnyBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
  metadata: { ...META, name, ...(namespace ? { namespace } : {}) },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: refKind, name: refName },
  subjects,
})
const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups })
const ask = (
  policy: RbacPolicy,
  who: UserInfo,
  verb: string,
  resource: string,
  at: { namespace?: string; name?: string; group?: string } = {},
) => {
  const [main = '', subresource = ''] = resource.split('/')
  const attributes = {
    group: at.group ?? '',
    version: 'v1',
    resource: main,
    subresource,
    namespace: at.namespace ?? '',
    name: at.name ?? '',
  }
  return policy.decide(who, attributes.namespace, probeOf({ verb, resource: attributes, path: '' }))
}
const askPath = (policy: RbacPolicy, who: UserInfo, verb: string, path: string) => policy.decide(who, '', probeOf({ verb, path }))

describe('RBAC', () => {
  it('allows what a role bound in the namespace allows, there only, and says by whose grant', () => {
    const policy = new RbacPolicy()
    policy.setRole(role('reader', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], 'a'))
    policy.setBinding(binding('readers', 'Role', 'reader', [{ kind: 'User', name: 'jane' }], 'a'))
    expect(ask(policy, user('jane'), 'get', 'pods', { namespace: 'a' })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "readers/a" of Role "reader" to User "jane"',
    })
    expect(ask(policy, user('jane'), 'get', 'pods', { namespace: 'b' }).allowed).toBe(false)
    expect(ask(policy, user('jane'), 'get', 'pods').allowed).toBe(false)
    expect(ask(policy, user('jane'), 'get', 'pods/log', { namespace: 'a' }).allowed).toBe(false)
    expect(ask(policy, user('joe'), 'get', 'pods', { namespace: 'a' }).allowed).toBe(false)
    expect(ask(policy, user('jane'), 'list', 'pods', { namespace: 'a' }).allowed).toBe(false)
    expect(ask(policy, user('jane'), 'get', 'pods', { namespace: 'a', group: 'apps' }).allowed).toBe(false)
  })

  it('binds a cluster role in the cluster or in one namespace, to users, groups and service accounts', () => {
    const policy = new RbacPolicy()
    policy.setRole(role('logs', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*/log'] }]))
    policy.setBinding(binding('everywhere', 'ClusterRole', 'logs', [{ kind: 'Group', name: 'ops' }]))
    policy.setBinding(binding('here', 'ClusterRole', 'logs', [{ kind: 'ServiceAccount', name: 'bot' }], 'a'))
    expect(ask(policy, user('x', 'ops'), 'get', 'pods/log', { namespace: 'z' }).allowed).toBe(true)
    const bot = user('system:serviceaccount:a:bot')
    expect(ask(policy, bot, 'get', 'pods/log', { namespace: 'a' }).reason).toContain('to ServiceAccount "bot/a"')
    expect(ask(policy, bot, 'get', 'pods/log', { namespace: 'b' }).allowed).toBe(false)
    expect(ask(policy, user('x', 'ops'), 'get', 'pods').allowed).toBe(false)
  })

  it('limits a rule to the names it gives', () => {
    const policy = new RbacPolicy()
    policy.setRole(role('one', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'] }]))
    policy.setBinding(binding('one', 'ClusterRole', 'one', [{ kind: 'User', name: 'jane' }]))
    expect(ask(policy, user('jane'), 'get', 'secrets', { namespace: 'n', name: 'a' }).allowed).toBe(true)
    expect(ask(policy, user('jane'), 'get', 'secrets', { namespace: 'n', name: 'c' }).allowed).toBe(false)
    expect(ask(policy, user('jane'), 'list', 'secrets', { namespace: 'n' }).allowed).toBe(false)
  })

  it('matches paths exactly or by prefix', () => {
    const policy = new RbacPolicy()
    policy.setRole(role('paths', [{ verbs: ['get'], nonResourceURLs: ['/version', '/openapi/*'] }]))
    policy.setBinding(binding('paths', 'ClusterRole', 'paths', [{ kind: 'Group', name: 'all' }]))
    const who = user('x', 'all')
    expect(['/version', '/openapi/', '/openapi/v3/apis'].every((path) => askPath(policy, who, 'get', path).allowed)).toBe(true)
    expect(['/version/', '/openapi', '/apis'].some((path) => askPath(policy, who, 'get', path).allowed)).toBe(false)
    expect(askPath(policy, who, 'post', '/version').allowed).toBe(false)
  })

  it('names a role that is bound and does not exist, and allows once it does', () => {
    const policy = new RbacPolicy()
    policy.setBinding(binding('b', 'ClusterRole', 'ghost', [{ kind: 'User', name: 'jane' }]))
    expect(ask(policy, user('jane'), 'get', 'pods')).toEqual({
      allowed: false,
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found',
    })
    policy.setRole(role('ghost', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]))
    expect(ask(policy, user('jane'), 'get', 'pods').allowed).toBe(true)
    policy.deleteRole(role('ghost', []))
    expect(ask(policy, user('jane'), 'get', 'pods').allowed).toBe(false)
  })

  it('forgets the subjects that a changed or deleted binding no longer names', () => {
    const policy = new RbacPolicy()
    policy.setRole(role('r', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]))
    policy.setBinding(binding('b', 'ClusterRole', 'r', [{ kind: 'User', name: 'jane' }], 'a'))
    policy.setBinding(binding('b', 'ClusterRole', 'r', [{ kind: 'User', name: 'joe' }], 'a'))
    expect(ask(policy, user('jane'), 'get', 'pods', { namespace: 'a' }).allowed).toBe(false)
    expect(ask(policy, user('joe'), 'get', 'pods', { namespace: 'a' }).allowed).toBe(true)
    policy.deleteBinding(binding('b', 'ClusterRole', 'r', [], 'a'))
    expect(ask(policy, user('joe'), 'get', 'pods', { namespace: 'a' }).allowed).toBe(false)
  })
})

const VERBS = ['get', 'list', 'create', '*']
const GROUPS = ['', 'apps', '*']
const RESOURCES = ['pods', 'pods/log', 'deployments', '*/log', '*/scale', '*']
const NAMES = ['', 'a', 'b']
const URLS = ['/version', '/api/*', '/a', '*']
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: fc.uniqueArray(fc.constantFrom(...VERBS), { minLength: 1 }),
    apiGroups: fc.uniqueArray(fc.constantFrom(...GROUPS), { minLength: 1 }),
    resources: fc.uniqueArray(fc.constantFrom(...RESOURCES), { minLength: 1 }),
    resourceNames: fc.uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 1 }),
  }),
  fc.record({
    verbs: fc.uniqueArray(fc.constantFrom(...VERBS), { minLength: 1 }),
    nonResourceURLs: fc.uniqueArray(fc.constantFrom(...URLS)),
  }),
)

interface Question {
  verb: string
  path?: string
  group: string
  resource: string
  subresource: string
  namespace: string
  name: string
}

/** RBAC as its documentation tells it, one rule after the other. */
function slowRule(r: PolicyRule, q: Question): boolean {
  const has = (list: readonly string[] | undefined, value: string) => (list ?? []).some((one) => one === '*' || one === value)
  if (!has(r.verbs, q.verb)) return false
  if (q.path !== undefined)
    return (r.nonResourceURLs ?? []).some((url) => url === q.path || (url.endsWith('*') && String(q.path).startsWith(url.slice(0, -1))))
  const full = q.subresource ? `${q.resource}/${q.subresource}` : q.resource
  const resource = (r.resources ?? []).some((one) => one === '*' || one === full || (q.subresource !== '' && one === `*/${q.subresource}`))
  return has(r.apiGroups, q.group) && resource && (!r.resourceNames?.length || r.resourceNames.includes(q.name))
}

it('the indexed policy answers like a plain reading of every rule, on random policies that change', () => {
  const subject: fc.Arbitrary<Subject> = fc.oneof(
    fc.record({ kind: fc.constant('User'), name: fc.constantFrom('u', 'v', 'system:serviceaccount:n:s') }),
    fc.record({ kind: fc.constant('Group'), name: fc.constantFrom('g', 'h') }),
    fc.record({ kind: fc.constant('ServiceAccount'), name: fc.constant('s'), namespace: fc.constantFrom('n', 'm') }),
    fc.record({ kind: fc.constant('ServiceAccount'), name: fc.constant('s') }),
  )
  const aRole = fc.record({
    name: fc.constantFrom('r1', 'r2'),
    namespace: fc.constantFrom(undefined, 'n', 'm'),
    rules: fc.array(rule, { maxLength: 3 }),
  })
  const aBinding = fc.record({
    name: fc.constantFrom('b1', 'b2', 'b3'),
    namespace: fc.constantFrom(undefined, 'n', 'm'),
    cluster: fc.boolean(),
    role: fc.constantFrom('r1', 'r2'),
    subjects: fc.array(subject, { maxLength: 3 }),
  })
  const question = fc.record({
    verb: fc.constantFrom('get', 'list', 'create'),
    group: fc.constantFrom('', 'apps'),
    resource: fc.constantFrom('pods', 'deployments'),
    subresource: fc.constantFrom('', 'log', 'scale'),
    namespace: fc.constantFrom('', 'n', 'm'),
    name: fc.constantFrom(...NAMES),
    path: fc.constantFrom(undefined, undefined, '/version', '/api/v1', '/a', '/b'),
  })
  const who = fc.record({ name: fc.constantFrom('u', 'v', 'w', 'system:serviceaccount:n:s'), groups: fc.subarray(['g', 'h']) })
  fc.assert(
    fc.property(
      fc.array(aRole, { maxLength: 5 }),
      fc.array(aBinding, { maxLength: 6 }),
      fc.array(fc.nat(5)),
      who,
      fc.array(question, { minLength: 1, maxLength: 8 }),
      (roles, bindings, gone, someone, questions) => {
        const policy = new RbacPolicy()
        const liveRoles = new Map<string, AnyRole>()
        const liveBindings = new Map<string, AnyBinding>()
        for (const r of roles) {
          const made = role(r.name, r.rules, r.namespace)
          policy.setRole(made)
          liveRoles.set(`${r.namespace}/${r.name}`, made)
        }
        for (const b of bindings) {
          const made = binding(b.name, b.namespace && !b.cluster ? 'Role' : 'ClusterRole', b.role, b.subjects, b.namespace)
          policy.setBinding(made)
          liveBindings.set(`${b.namespace}/${b.name}`, made)
        }
        for (const index of gone) {
          const key = [...liveBindings.keys()][index]
          const dead = key === undefined ? undefined : liveBindings.get(key)
          if (!dead) continue
          policy.deleteBinding(dead)
          liveBindings.delete(String(key))
        }
        for (const q of questions) {
          const namespace = q.path === undefined ? q.namespace : ''
          const expected = [...liveBindings.values()].some((b) => {
            const home = b.metadata.namespace
            if (home !== undefined && home !== namespace) return false
            const concerned = (b.subjects ?? []).some((s) => {
              if (s.kind === 'User') return s.name === someone.name
              if (s.kind === 'Group') return someone.groups.includes(s.name)
              const at = s.namespace ?? home
              return at !== undefined && someone.name === `system:serviceaccount:${at}:${s.name}`
            })
            const target = liveRoles.get(`${b.roleRef.kind === 'Role' ? home : undefined}/${b.roleRef.name}`)
            return concerned && (target?.rules ?? []).some((r) => slowRule(r, q))
          })
          const { path, ...resource } = q
          const probe =
            path === undefined
              ? probeOf({ verb: q.verb, resource: { ...resource, version: 'v1' }, path: '' })
              : probeOf({ verb: q.verb, path })
          expect(policy.decide(someone, namespace, probe).allowed).toBe(expected)
        }
      },
    ),
    { numRuns: 2000, seed: 3 },
  )
})

it('rules that cover others allow everything that those allow', () => {
  const questions: Question[] = []
  for (const verb of ['get', 'list']) {
    for (const path of ['/version', '/api/x', '/a', '/b'])
      questions.push({ verb, path, group: '', resource: '', subresource: '', namespace: '', name: '' })
    for (const group of ['', 'apps', 'x'])
      for (const resource of ['pods', 'deployments'])
        for (const subresource of ['', 'log', 'scale'])
          for (const name of NAMES) questions.push({ verb, group, resource, subresource, namespace: '', name })
  }
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 3 }), fc.array(rule, { maxLength: 2 }), (held, wanted) => {
      fc.pre(uncovered(held, wanted).length === 0)
      for (const q of questions) if (wanted.some((r) => slowRule(r, q))) expect(held.some((r) => slowRule(r, q))).toBe(true)
    }),
    { numRuns: 300, seed: 5 },
  )
})
