import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { namespace } from '../../api/core/v1/namespace.ts'
import { pod } from '../../api/core/v1/pod.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import { secret } from '../../api/core/v1/secret.ts'
import { localSubjectAccessReview } from '../../api/authorization/v1/local-subject-access-review.ts'
import { subjectAccessReview } from '../../api/authorization/v1/subject-access-review.ts'
import { clusterRoleBinding } from '../../api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../api/rbac/v1/cluster-role.ts'
import { roleBinding } from '../../api/rbac/v1/role-binding.ts'
import { role } from '../../api/rbac/v1/role.ts'
import type { PolicyRule } from '../../api/rbac/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { createApiServer, type ApiServer } from '../apiserver.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { Store } from '../../store/store.ts'
import type { UserInfo } from '../types.ts'
import { createAuthorization, type Authorization } from './authorization.ts'

const GROUP = 'rbac.authorization.k8s.io'
const JANE: UserInfo = { name: 'jane', groups: ['system:authenticated'] }
const signal = new AbortController().signal
let clock: FakeClock
let store: Store
let server: ApiServer
let admin: Client
let authz: Authorization

async function start(): Promise<void> {
  server = createApiServer({ store, clock, logger: silentLogger, random: seededRandom(1) })
  admin = server.clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  authz = createAuthorization({ client: admin, clock, logger: silentLogger })
  server.use({ authorize: authz.authorize, checks: authz.checks, responders: authz.responders })
  await server.start()
  await authz.start()
}
async function stop(): Promise<void> {
  await authz[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
}
beforeEach(async () => {
  clock = new FakeClock()
  store = createMemoryStore({ clock, random: seededRandom(1) })
  await start()
  await admin.create(namespace, { metadata: { name: 'ns' } })
  await admin.create(serviceAccount, { metadata: { name: 'default', namespace: 'ns' } })
})
afterEach(async () => {
  await stop()
  await store[Symbol.asyncDispose]()
})

const grant = async (name: string, rules: PolicyRule[], user = 'jane') => {
  await admin.create(role, { metadata: { name, namespace: 'ns' }, rules })
  const subjects = [{ kind: 'User', apiGroup: GROUP, name: user }]
  await admin.create(roleBinding, { metadata: { name, namespace: 'ns' }, roleRef: { apiGroup: GROUP, kind: 'Role', name }, subjects })
  await settle()
}
const ask = async (user: UserInfo, verb: string, resource: string, at = 'ns', name = '', group = '') =>
  authz.authorize({ user, verb, path: '', resource: { group, version: 'v1', resource, subresource: '', namespace: at, name } })
const respond = async (key: string, spec: object, user = JANE, at = '') =>
  authz.responders[`${key}.authorization.k8s.io`]?.({ kind: 'Review', metadata: {}, spec } as unknown as KubeObject, {
    user,
    namespace: at,
    name: '',
    signal,
  })

describe('authorization', () => {
  it('follows roles and bindings as they are written', async () => {
    expect((await ask(JANE, 'get', 'configmaps')).allowed).toBe(false)
    await grant('r', [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }])
    expect((await ask(JANE, 'get', 'configmaps')).allowed).toBe(true)
    await admin.delete(roleBinding, { namespace: 'ns', name: 'r' })
    await settle()
    expect((await ask(JANE, 'get', 'configmaps')).allowed).toBe(false)
  })

  it('lets everyone who is known discover, and the anonymous see health and version only', async () => {
    const path = async (user: UserInfo, at: string) => (await authz.authorize({ user, verb: 'get', path: at })).allowed
    const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
    expect([await path(JANE, '/apis'), await path(JANE, '/openapi/v3/api/v1'), await path(JANE, '/metrics')]).toEqual([true, true, false])
    expect([await path(anonymous, '/version'), await path(anonymous, '/readyz/ping'), await path(anonymous, '/apis')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('knows what the pods of a node refer to, and forgets it with them', async () => {
    const moth = { name: 'system:node:moth', groups: ['system:nodes'] }
    const may = async (name: string) => (await ask(moth, 'get', 'secrets', 'ns', name)).allowed
    const spec = {
      nodeName: 'moth',
      imagePullSecrets: [{ name: 'pull' }],
      containers: [{ name: 'c', image: 'i', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }] }],
      initContainers: [{ name: 'i', image: 'i', envFrom: [{ secretRef: { name: 'from' } }] }],
      volumes: [
        { name: 'v', secret: { secretName: 'volume' } },
        { name: 'w', projected: { sources: [{ secret: { name: 'projected' } }] } },
      ],
    }
    await admin.create(pod, { metadata: { name: 'p', namespace: 'ns' }, spec })
    await settle()
    for (const name of ['pull', 'env', 'from', 'volume', 'projected']) expect(await may(name), name).toBe(true)
    expect(await may('other')).toBe(false)
    await admin.delete(pod, { namespace: 'ns', name: 'p' }, { gracePeriodSeconds: 0 })
    await settle()
    expect(await may('pull')).toBe(false)
  })
})

describe('default policy', () => {
  it('is put back at the next start where it lost rules, subjects or labels, and keeps what was added', async () => {
    const discovery = await admin.get(clusterRole, { name: 'system:discovery' })
    await admin.update(clusterRole, { ...discovery, rules: [{ verbs: ['get'], nonResourceURLs: ['/mine'] }] })
    const binding = await admin.get(clusterRoleBinding, { name: 'system:basic-user' })
    await admin.update(clusterRoleBinding, {
      ...binding,
      subjects: [{ kind: 'User', apiGroup: GROUP, name: 'added' }],
      metadata: { ...binding.metadata, labels: {} },
    })
    const own = await admin.get(clusterRole, { name: 'system:monitoring' })
    await admin.update(clusterRole, {
      ...own,
      rules: [],
      metadata: { ...own.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    })
    await admin.delete(clusterRole, { name: 'system:kube-dns' })
    await stop()
    await start()
    const urls = (await admin.get(clusterRole, { name: 'system:discovery' })).rules?.flatMap((rule) => rule.nonResourceURLs ?? [])
    expect(urls).toEqual(expect.arrayContaining(['/mine', '/apis', '/openapi/*']))
    const again = await admin.get(clusterRoleBinding, { name: 'system:basic-user' })
    expect(again.subjects?.map((subject) => subject.name)).toEqual(['added', 'system:authenticated'])
    expect(again.metadata.labels).toEqual({ 'kubernetes.io/bootstrapping': 'rbac-defaults' })
    expect((await admin.get(clusterRole, { name: 'system:monitoring' })).rules ?? []).toEqual([])
    await admin.get(clusterRole, { name: 'system:kube-dns' })
  })

  it('lets aggregated API servers that are bound to its reader read how to authenticate, and nothing else', async () => {
    const server = { name: 'system:serviceaccount:kube-system:metrics-server', groups: ['system:serviceaccounts'] }
    await admin.create(roleBinding, {
      metadata: { name: 'metrics-server-auth-reader', namespace: 'kube-system' },
      roleRef: { apiGroup: GROUP, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'kube-system', name: 'metrics-server' }],
    })
    await settle()
    const may = async (name: string) => (await ask(server, 'get', 'configmaps', 'kube-system', name)).allowed
    expect(await may('extension-apiserver-authentication')).toBe(true)
    expect(await may('other')).toBe(false)
  })

  it('leaves what is as it should be unwritten', async () => {
    const versions = async () => {
      const lists = [
        await admin.list(clusterRole),
        await admin.list(clusterRoleBinding),
        await admin.list(role),
        await admin.list(roleBinding),
      ]
      return lists.flatMap(({ items }) => items.map((one) => `${one.kind} ${one.metadata.name} ${one.metadata.resourceVersion}`))
    }
    const before = await versions()
    await stop()
    await start()
    expect(await versions()).toEqual(before)
  })

  it('names what aggregates into admin, edit and view', async () => {
    const labels = async (name: string) => (await admin.get(clusterRole, { name })).metadata.labels
    expect(await labels('view')).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' })
    expect(await labels('system:aggregate-to-view')).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-view': 'true' })
    expect((await admin.get(clusterRole, { name: 'admin' })).aggregationRule?.clusterRoleSelectors).toEqual([
      { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' } },
    ])
    const view = await admin.get(clusterRole, { name: 'system:aggregate-to-view' })
    expect(view.rules?.flatMap((rule) => rule.resources ?? [])).not.toContain('secrets')
  })
})

describe('escalation', () => {
  const RULES: PolicyRule[] = [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }]
  const writeRoles = (verbs: string[]) => grant('writer', [{ verbs, apiGroups: [GROUP], resources: ['roles', 'rolebindings'] }])
  const makeRole = () => server.clientFor(JANE).create(role, { metadata: { name: 'new', namespace: 'ns' }, rules: RULES })
  const bindTo = (kind: string, name: string) =>
    server.clientFor(JANE).create(roleBinding, {
      metadata: { name: 'new', namespace: 'ns' },
      roleRef: { apiGroup: GROUP, kind, name },
      subjects: [{ kind: 'User', apiGroup: GROUP, name: 'jane' }],
    })

  it('is refused for a role with rules that are not held, and allowed with them or with the verb escalate', async () => {
    await writeRoles(['create'])
    await expect(makeRole()).rejects.toMatchObject({
      reason: 'Forbidden',
      message: expect.stringContaining('{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}') as string,
    })
    await grant('held', RULES)
    await makeRole()
    await admin.delete(role, { namespace: 'ns', name: 'new' })
    await admin.delete(role, { namespace: 'ns', name: 'held' })
    await grant('escalate', [{ verbs: ['escalate'], apiGroups: [GROUP], resources: ['roles'] }])
    await makeRole()
  })

  it('is refused for a binding to a role that is not held, and allowed with the verb bind', async () => {
    await writeRoles(['create'])
    await expect(bindTo('ClusterRole', 'cluster-admin')).rejects.toMatchObject({ reason: 'Forbidden' })
    await expect(bindTo('Role', 'ghost')).rejects.toMatchObject({ reason: 'NotFound' })
    await grant('bind', [{ verbs: ['bind'], apiGroups: [GROUP], resources: ['clusterroles'], resourceNames: ['cluster-admin'] }])
    await expect(bindTo('ClusterRole', 'system:kube-scheduler')).rejects.toMatchObject({ reason: 'Forbidden' })
    await bindTo('ClusterRole', 'cluster-admin')
  })

  it('is not asked about when only owners or finalizers change', async () => {
    await writeRoles(['update'])
    await admin.create(role, { metadata: { name: 'theirs', namespace: 'ns' }, rules: RULES })
    const jane = server.clientFor(JANE)
    const theirs = await admin.get(role, { namespace: 'ns', name: 'theirs' })
    await jane.update(role, { ...theirs, metadata: { ...theirs.metadata, finalizers: ['example.com/x'] } })
    const changed = { ...(await admin.get(role, { namespace: 'ns', name: 'theirs' })), rules: [...RULES, ...RULES] }
    await expect(jane.update(role, changed)).rejects.toMatchObject({ reason: 'Forbidden' })
  })
})

describe('reviews', () => {
  beforeEach(() => grant('r', [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['x'] }]))
  const resourceAttributes = { verb: 'get', resource: 'secrets', namespace: 'ns', name: 'x' }

  it('answer for any user, in one namespace, and for who asks', async () => {
    const allowed = { status: { allowed: true, reason: 'RBAC: allowed by RoleBinding "r/ns" of Role "r" to User "jane"' } }
    expect(await respond('subjectaccessreviews', { user: 'jane', resourceAttributes })).toMatchObject(allowed)
    expect(await respond('subjectaccessreviews', { user: 'joe', resourceAttributes })).toMatchObject({ status: { allowed: false } })
    expect(await respond('localsubjectaccessreviews', { user: 'jane', resourceAttributes }, JANE, 'ns')).toMatchObject(allowed)
    expect(await respond('selfsubjectaccessreviews', { resourceAttributes })).toMatchObject(allowed)
    expect(await respond('selfsubjectaccessreviews', { nonResourceAttributes: { verb: 'get', path: '/apis' } })).toMatchObject({
      status: { allowed: true },
    })
  })

  it('say what is wrong with a question', async () => {
    await expect(admin.create(subjectAccessReview, { spec: { user: 'jane' } })).rejects.toMatchObject({ reason: 'Invalid' })
    await expect(admin.create(subjectAccessReview, { spec: { resourceAttributes } })).rejects.toThrow('at least one of user or group')
    const elsewhere = { metadata: { namespace: 'other' }, spec: { user: 'jane', resourceAttributes } }
    await expect(admin.create(localSubjectAccessReview, elsewhere)).rejects.toThrow('must match metadata.namespace')
    await expect(respond('selfsubjectrulesreviews', {})).rejects.toMatchObject({ reason: 'BadRequest' })
  })

  it('are answered in this process as over the wire', async () => {
    const { status } = await admin.create(subjectAccessReview, { spec: { user: 'jane', resourceAttributes } })
    expect(status.allowed).toBe(true)
    await expect(server.clientFor(JANE).create(subjectAccessReview, { spec: { user: 'jane', resourceAttributes } })).rejects.toMatchObject({
      reason: 'Forbidden',
    })
  })

  it('list the rules that hold, and say when they are not all', async () => {
    const review = (await respond('selfsubjectrulesreviews', { namespace: 'ns' })) as unknown as {
      status: { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean }
    }
    expect(review.status.resourceRules).toContainEqual({ verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['x'] })
    expect(review.status.nonResourceRules.length).toBeGreaterThan(0)
    expect(review.status.incomplete).toBe(false)
    expect(
      await respond('selfsubjectrulesreviews', { namespace: 'ns' }, { name: 'system:node:moth', groups: ['system:nodes'] }),
    ).toMatchObject({ status: { incomplete: true } })
  })
})

it('secrets stay closed to who only reads', async () => {
  await admin.create(secret, { metadata: { name: 's', namespace: 'ns' } })
  await expect(server.clientFor(JANE).get(secret, { namespace: 'ns', name: 's' })).rejects.toThrow(
    'secrets "s" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "ns"',
  )
})
