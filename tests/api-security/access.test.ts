import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import { clusterRole } from '../../electron/api/rbac/v1/cluster-role.ts'
import { roleBinding } from '../../electron/api/rbac/v1/role-binding.ts'
import { role } from '../../electron/api/rbac/v1/role.ts'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

let server: SecureServer
beforeAll(async () => {
  server = await startSecureServer()
  for (const name of ['default', 'kube-system', 'team']) await server.admin.create(namespace, { metadata: { name } }).catch(() => undefined)
  for (const ns of ['default', 'team']) await server.admin.create(serviceAccount, { metadata: { name: 'bot', namespace: ns } })
  await server.admin.create(role, {
    metadata: { name: 'reader', namespace: 'team' },
    rules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['configmaps', 'pods'] }],
  })
  await server.admin.create(roleBinding, {
    metadata: { name: 'readers', namespace: 'team' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' },
      { kind: 'ServiceAccount', name: 'bot', namespace: 'team' },
    ],
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const kubectl = async (user: string, groups: string[], ...args: string[]) =>
  run('kubectl', ['--kubeconfig', await server.kubeconfig(user, ...groups), ...args], { env: { HOME: server.dir } })
const curl = (...args: string[]) => run('curl', ['-sS', '--cacert', join(server.dir, 'ca.crt'), '--noproxy', '*', ...args])
const certificateOf = async (user: string) => {
  const { cert, key } = await server.pki.issueClient({ commonName: user })
  const files = [join(server.dir, `${user}.crt`), join(server.dir, `${user}.key`)] as const
  await writeFile(files[0], cert)
  await writeFile(files[1], key)
  return files
}

describe('TLS', () => {
  it('openssl believes the certificate under every name of the API server, and no other', async () => {
    const port = new URL(server.url).port
    const check = async (name: string) => {
      const names = /^[\d.:]+$/.test(name) ? ['-verify_ip', name] : ['-verify_hostname', name, '-servername', name]
      return run('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-CAfile',
        join(server.dir, 'ca.crt'),
        '-verify_return_error',
        '-alpn',
        'h2',
        ...names,
      ])
    }
    for (const name of [
      'localhost',
      '127.0.0.1',
      '10.96.0.1',
      'kubernetes',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ]) {
      const { out } = await check(name)
      expect(out, name).toContain('Verify return code: 0 (ok)')
      expect(out).toContain('ALPN protocol: h2')
    }
    expect((await check('elsewhere.example')).out + (await check('elsewhere.example')).err).toMatch(/mismatch/)
  })

  it('shows a new certificate when the names change, and keeps the connections that it has', async () => {
    const client = await server.remote('admin')
    await client.list(namespace)
    await server.pki.setNames(['plane.example'])
    const args = [
      's_client',
      '-connect',
      new URL(server.url).host,
      '-CAfile',
      join(server.dir, 'ca.crt'),
      '-verify_hostname',
      'plane.example',
      '-servername',
      'plane.example',
    ]
    expect((await run('openssl', args)).out).toContain('Verify return code: 0 (ok)')
    await client.list(namespace)
    expect((await (await server.remote('admin')).list(namespace)).items.length).toBeGreaterThan(0)
  })

  it('openssl accepts the CA file as an authority that may sign', async () => {
    const { out } = await run('openssl', ['x509', '-in', join(server.dir, 'pki', 'ca.crt'), '-noout', '-text'])
    expect(out).toContain('CA:TRUE')
    expect(out).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/)
    expect((await run('openssl', ['ec', '-in', join(server.dir, 'pki', 'ca.key'), '-noout', '-check'])).code).toBe(0)
  })

  it('a client with a certificate of another authority is told so, not let in', async () => {
    const foreign = await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/O=system:masters/CN=kubernetes-admin',
      '-keyout',
      join(server.dir, 'f.key'),
      '-out',
      join(server.dir, 'f.crt'),
    ])
    expect(foreign.code).toBe(0)
    const { out } = await curl(
      '--cert',
      join(server.dir, 'f.crt'),
      '--key',
      join(server.dir, 'f.key'),
      '-w',
      '%{http_code}',
      `${server.url}/api/v1/namespaces`,
    )
    expect(out).toMatch(/40[13]$/)
    expect(out).not.toContain('NamespaceList')
  })
})

describe('who shows nothing', () => {
  it.each([
    ['/healthz', 200],
    ['/livez', 200],
    ['/version', 200],
    ['/api', 403],
    ['/api/v1/namespaces', 403],
    ['/openapi/v3', 403],
    ['/.well-known/openid-configuration', 403],
  ])('gets %s with %i', async (path, code) => {
    const { out } = await curl('-o', '/dev/null', '-w', '%{http_code}', `${server.url}${path}`)
    expect(out).toBe(String(code))
  })

  it('is called system:anonymous in the refusal', async () => {
    const { out } = await curl(`${server.url}/api/v1/secrets`)
    expect(JSON.parse(out)).toMatchObject({
      kind: 'Status',
      reason: 'Forbidden',
      message: 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" at the cluster scope',
    })
  })

  it('with a wrong token gets 401', async () => {
    const { out } = await curl('-H', 'Authorization: Bearer nonsense', '-w', ' %{http_code}', `${server.url}/version`)
    expect(out).toMatch(/"reason":\s*"Unauthorized"[\s\S]*401$/)
  })
})

describe('kubectl', () => {
  it('whoami names user and groups of the certificate', async () => {
    const { out, err } = await kubectl('jane', ['devs'], 'auth', 'whoami', '-o', 'json')
    expect(err).toBe('')
    expect((JSON.parse(out) as { status: unknown }).status).toMatchObject({
      userInfo: { username: 'jane', groups: ['devs', 'system:authenticated'] },
    })
  })

  it.each([
    ['jane', 'get configmaps -n team', 'yes'],
    ['jane', 'watch pods -n team', 'yes'],
    ['jane', 'get pods --subresource=log -n team', 'no'],
    ['jane', 'create configmaps -n team', 'no'],
    ['jane', 'get configmaps -n default', 'no'],
    ['jane', 'get /version', 'yes'],
    ['jane', 'get /metrics', 'no'],
    ['admin', '* *', 'yes'],
  ])('auth can-i as %s: %s: %s', async (user, question, answer) => {
    const { out } = await kubectl(user, [], 'auth', 'can-i', ...question.split(' '))
    expect(out.trim()).toBe(answer)
  })

  it('auth can-i --list shows what the rules say', async () => {
    const { out } = await kubectl('jane', [], 'auth', 'can-i', '--list', '-n', 'team')
    expect(out).toMatch(/configmaps\s+\[\]\s+\[\]\s+\[get list watch\]/)
    expect(out).toMatch(/selfsubjectreviews\.authentication\.k8s\.io\s+\[\]\s+\[\]\s+\[create\]/)
    expect(out).toMatch(/\[\/version\]/)
  })

  it('--as-group keeps the commas of a group, whichever way requests come', async () => {
    const groups = ['CN=ops,OU=people', 'second']
    const who = ['--as', 'joe', '--as-uid', '7', ...groups.flatMap((group) => ['--as-group', group])]
    const userInfo = { username: 'joe', uid: '7', groups: [...groups, 'system:authenticated'] }
    const { out } = await kubectl('admin', [], 'auth', 'whoami', '-o', 'json', ...who)
    expect((JSON.parse(out) as { status: unknown }).status).toEqual({ userInfo })
    const { cert, key } = await server.pki.issueClient({ commonName: 'root', organizations: ['system:masters'] })
    const files = [join(server.dir, 'root.crt'), join(server.dir, 'root.key')] as const
    await writeFile(files[0], cert)
    await writeFile(files[1], key)
    const headers = ['Impersonate-User: joe', 'Impersonate-Uid: 7', ...groups.map((group) => `Impersonate-Group: ${group}`)]
    const body = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    const sent = [...headers, 'Impersonate-Extra-Example.com%2fTeams: a, b', 'Content-Type: application/json'].flatMap((line) => [
      '-H',
      line,
    ])
    for (const version of ['--http1.1', '--http2']) {
      const path = `${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`
      const answer = await curl(version, '--cert', files[0], '--key', files[1], ...sent, '-d', body, path)
      expect((JSON.parse(answer.out) as { status: unknown }).status).toEqual({
        userInfo: { ...userInfo, extra: { 'example.com/teams': ['a, b'] } },
      })
    }
  })

  it('--as acts as another where that is allowed, and is refused otherwise', async () => {
    const asJane = await kubectl('admin', [], 'get', 'configmaps', '-n', 'default', '--as', 'jane')
    expect(asJane.err).toContain('User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"')
    const refused = await kubectl('jane', [], 'get', 'configmaps', '-n', 'team', '--as', 'admin', '--as-group', 'system:masters')
    expect(refused.err).toContain('User "jane" cannot impersonate resource "users"')
  })

  it('create token gives a token that the server knows, and TokenReview confirms', async () => {
    const { out, err } = await kubectl('admin', [], 'create', 'token', 'bot', '-n', 'team', '--duration', '20m')
    expect(err).toBe('')
    expect((await kubectl('admin', [], 'create', 'token', 'bot', '-n', 'team', '--duration', '599s')).err).toContain(
      'may not specify a duration less than 10 minutes',
    )
    const token = out.trim()
    const get = async (ns: string) =>
      (
        await curl(
          '-H',
          `Authorization: Bearer ${token}`,
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          `${server.url}/api/v1/namespaces/${ns}/configmaps`,
        )
      ).out
    expect([await get('team'), await get('default')]).toEqual(['200', '403'])
    const review = await kubectl('admin', [], 'create', '-o', 'json', '--validate=false', '-f', '/dev/stdin')
    expect(review.code).not.toBe(0)
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
    const answer = await (
      await server.remote('admin')
    ).request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      headers: { 'content-type': 'application/json' },
      body,
    })
    let text = ''
    for await (const part of answer.body) text += Buffer.from(part).toString()
    expect(JSON.parse(text)).toMatchObject({ status: { authenticated: true, user: { username: 'system:serviceaccount:team:bot' } } })
    const keys = await curl('-H', `Authorization: Bearer ${token}`, `${server.url}/openid/v1/jwks`)
    expect(JSON.parse(keys.out)).toMatchObject({ keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256' }] })
  })
})

describe('privileges', () => {
  it('cannot be granted by who does not hold them', async () => {
    await server.admin.create(role, {
      metadata: { name: 'granter', namespace: 'team' },
      rules: [{ verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] }],
    })
    await server.admin.create(roleBinding, {
      metadata: { name: 'granters', namespace: 'team' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'granter' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'olaf' }],
    })
    const olaf = await server.remote('olaf')
    const make = (name: string, resources: string[]) =>
      olaf.create(role, { metadata: { name, namespace: 'team' }, rules: [{ verbs: ['get'], apiGroups: [''], resources }] })
    // The verb "*" on roles includes escalate; without it nothing may be granted that is not held.
    await make('any', ['secrets'])
    await server.admin.update(role, {
      ...(await server.admin.get(role, { namespace: 'team', name: 'granter' })),
      rules: [{ verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] }],
    })
    await expect
      .poll(() =>
        make('more', ['secrets']).then(
          () => 'made',
          (error: Error) => error.message,
        ),
      )
      .toMatch(
        /^roles.rbac.authorization.k8s.io "more" is forbidden: user "olaf" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}$/,
      )
    const bind = olaf.create(roleBinding, {
      metadata: { name: 'self', namespace: 'team' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'olaf' }],
    })
    await expect(bind).rejects.toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('not currently held') as string })
  })

  it('of default roles come back after a restart, and additions stay', async () => {
    const found = await server.admin.get(clusterRole, { name: 'system:basic-user' })
    expect(found.metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate']).toBe('true')
    expect((await server.admin.list(clusterRole)).items.map((one) => one.metadata.name)).toEqual(
      expect.arrayContaining(['cluster-admin', 'admin', 'edit', 'view', 'system:node']),
    )
  })
})

describe('a node', () => {
  it('reads what its pods refer to, writes what is its own, and no more', async () => {
    const spec = (node: string, name: string) => ({
      nodeName: node,
      serviceAccountName: 'bot',
      containers: [{ name: 'c', image: 'i', envFrom: [{ secretRef: { name } }] }],
    })
    for (const name of ['mine', 'theirs']) await server.admin.create(secret, { metadata: { name, namespace: 'team' } })
    await server.admin.create(configMap, { metadata: { name: 'other', namespace: 'team' } })
    await server.admin.create(pod, { metadata: { name: 'p1', namespace: 'team' }, spec: spec('moth', 'mine') })
    await server.admin.create(pod, { metadata: { name: 'p2', namespace: 'team' }, spec: spec('wasp', 'theirs') })
    const moth = await server.remote('system:node:moth', 'system:nodes')
    await expect.poll(() => moth.get(secret, { namespace: 'team', name: 'mine' }).then(() => 'read', String)).toBe('read')
    for (const refused of [
      moth.get(secret, { namespace: 'team', name: 'theirs' }),
      moth.get(configMap, { namespace: 'team', name: 'other' }),
      moth.list(secret, { namespace: 'team' }),
      moth.list(pod),
      moth.delete(pod, { namespace: 'team', name: 'p2' }),
      moth.create(pod, { metadata: { name: 'x', namespace: 'team' }, spec: spec('moth', 'theirs') }),
    ])
      await expect(refused).rejects.toMatchObject({ reason: 'Forbidden' })
    expect((await moth.list(pod, { fieldSelector: 'spec.nodeName=moth' })).items.map((one) => one.metadata.name)).toEqual(['p1'])
    const token = (boundObjectRef?: object) =>
      moth.create(
        serviceAccount,
        { metadata: { name: 'bot', namespace: 'team' }, ...{ spec: boundObjectRef ? { boundObjectRef } : {} } },
        { subresource: 'token' },
      )
    await expect(token()).rejects.toMatchObject({ reason: 'Forbidden', message: expect.stringContaining('not bound to a pod') as string })
    const own = await moth.get(pod, { namespace: 'team', name: 'p1' })
    expect(await token({ kind: 'Pod', apiVersion: 'v1', name: 'p1', uid: own.metadata.uid })).toMatchObject({
      kind: 'TokenRequest',
      status: { token: expect.stringMatching(/^ey/) as string },
    })
    await moth.patch(pod, own.metadata, { type: 'merge', body: { status: { phase: 'Running' } } }, { subresource: 'status' })
    await expect(
      moth.patch(pod, own.metadata, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, { subresource: 'status' }),
    ).rejects.toMatchObject({ reason: 'Forbidden' })
    await moth.delete(pod, { namespace: 'team', name: 'p1' }, { gracePeriodSeconds: 0 })
  })
})

it('a certificate of a user without rights opens nothing', async () => {
  const [cert, key] = await certificateOf('nobody')
  const { out } = await curl('--cert', cert, '--key', key, '-w', ' %{http_code}', `${server.url}/api/v1/namespaces/team/secrets`)
  expect(out).toMatch(/403$/)
})
