import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TokenRequest, TokenReview } from '../../api/authentication/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom, systemRandom } from '../../base/random.ts'
import { ObjectsClient } from '../../client/testing/objects-client.ts'
import { createPki, type Pki } from '../pki/pki.ts'
import type { ApiRequest, Authorizer, UserInfo } from '../types.ts'
import { signLegacyToken } from './legacy-tokens.ts'
import { createAuthentication, type Authentication } from './authentication.ts'

const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters'] }
const DAY = 24 * 3600_000
let dir: string
let pki: Pki
let foreign: Pki
const pkiClock = new FakeClock()
const pkiIn = (name: string) =>
  createPki({
    dir: join(dir, name),
    clock: pkiClock,
    random: systemRandom,
    logger: silentLogger,
    clusterDomain: 'cluster.local',
    serviceAddress: '10.96.0.1',
  })
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-authn-'))
  pki = pkiIn('own')
  foreign = pkiIn('foreign')
  await pki.start()
  await foreign.start()
})
afterAll(async () => {
  await pki[Symbol.asyncDispose]()
  await foreign[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

let clock: FakeClock
let objects: ObjectsClient
let authn: Authentication
beforeEach(() => {
  clock = new FakeClock(pkiClock.now())
  objects = new ObjectsClient()
  authn = createAuthentication({
    caPem: pki.caPem,
    keys: pki.serviceAccountKeys,
    issuer: ISSUER,
    tokens: new Map([['plane-token', { name: 'plane', groups: ['system:masters'] }]]),
    client: objects.client,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  })
})

const der = (pem: string) => new Uint8Array(new X509Certificate(pem).raw)
const respond = (key: string, object: object, context: Partial<{ user: UserInfo; namespace: string; name: string }> = {}) => {
  const responder = authn.responders[key]
  if (!responder) throw new Error(`no responder ${key}`)
  return responder(object as KubeObject, { user: ADMIN, namespace: '', name: '', signal: new AbortController().signal, ...context })
}
const refused = { reason: 'Unauthorized', code: 401, message: 'Unauthorized' }

describe('client certificates', () => {
  it('name the user and the groups, and which certificate it was', async () => {
    const { cert } = await pki.issueClient({ commonName: 'system:node:moth', organizations: ['system:nodes', 'a,b'] })
    expect(await authn.authenticate({ certificate: der(cert) })).toEqual({
      name: 'system:node:moth',
      groups: ['system:nodes', 'a,b', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
    })
  })

  it('of another authority, expired ones also on a connection that was made before, and those of servers are refused', async () => {
    await expect(authn.authenticate({ certificate: der((await foreign.issueClient({ commonName: 'x' })).cert) })).rejects.toMatchObject(
      refused,
    )
    await expect(authn.authenticate({ certificate: der(pki.serving.current.cert) })).rejects.toMatchObject(refused)
    await expect(authn.authenticate({ certificate: Uint8Array.of(1, 2) })).rejects.toMatchObject(refused)
    const certificate = der((await pki.issueClient({ commonName: 'x' })).cert)
    expect((await authn.authenticate({ certificate })).name).toBe('x')
    clock.jump(366 * DAY)
    await expect(authn.authenticate({ certificate })).rejects.toMatchObject(refused)
  })

  it('without a name are nobody', async () => {
    const { cert } = await pki.issueClient({ commonName: '', organizations: ['system:masters'] })
    expect((await authn.authenticate({ certificate: der(cert) })).name).toBe('system:anonymous')
  })
})

describe('who shows', () => {
  it('nothing is anonymous', async () => {
    expect(await authn.authenticate({})).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
  })

  it('a token that nobody knows is refused, not anonymous', async () => {
    for (const bearerToken of ['x', 'a.b.c', 'abcdef.0123456789abcdef', 'e30.e30.e30'])
      await expect(authn.authenticate({ bearerToken })).rejects.toMatchObject(refused)
  })

  it('a token of the plane is who the plane says', async () => {
    expect(await authn.authenticate({ bearerToken: 'plane-token' })).toMatchObject({
      name: 'plane',
      groups: ['system:masters', 'system:authenticated'],
    })
  })

  it('a bad certificate and a good token is whom the token names', async () => {
    const certificate = der((await foreign.issueClient({ commonName: 'x' })).cert)
    expect((await authn.authenticate({ certificate, bearerToken: 'plane-token' })).name).toBe('plane')
  })
})

describe('bootstrap tokens', () => {
  const base64 = (data: Record<string, string>) =>
    Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')]))
  const add = (data: Record<string, string> = {}, more: object = {}) =>
    objects.add({
      kind: 'Secret',
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: base64({ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...data }),
      ...more,
    })
  const bearerToken = 'abcdef.0123456789abcdef'

  it('make a bootstrapper with the groups of the Secret', async () => {
    add({ 'auth-extra-groups': 'system:bootstrappers:workers', expiration: new Date(clock.now() + 60_000).toISOString() })
    expect(await authn.authenticate({ bearerToken })).toEqual({
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'],
    })
    clock.jump(60_001)
    await expect(authn.authenticate({ bearerToken })).rejects.toMatchObject(refused)
  })

  it.each([
    ['for another use', { 'usage-bootstrap-authentication': 'false' }, {}],
    ['with another secret', { 'token-secret': '0123456789abcdeX' }, {}],
    ['with an unreadable expiry', { expiration: 'tomorrow' }, {}],
    ['with a foreign group', { 'auth-extra-groups': 'system:masters' }, {}],
    ['of another type', {}, { type: 'Opaque' }],
    [
      'being deleted',
      {},
      { metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system', deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ],
  ])('%s are refused', async (_why, data, more) => {
    add(data, more)
    await expect(authn.authenticate({ bearerToken })).rejects.toMatchObject(refused)
  })
})

describe("service accounts' tokens", () => {
  let account: KubeObject
  beforeEach(() => {
    account = objects.add({ kind: 'ServiceAccount', metadata: { name: 'bot', namespace: 'ns' } })
  })
  const issue = async (spec: TokenRequest['spec'] = {}) =>
    (
      (await respond(
        'serviceaccounts/token',
        { kind: 'TokenRequest', metadata: {}, spec },
        { namespace: 'ns', name: 'bot' },
      )) as TokenRequest
    ).status
  const pod = () =>
    objects.add({ kind: 'Pod', metadata: { name: 'p', namespace: 'ns' }, spec: { serviceAccountName: 'bot', nodeName: 'moth' } })
  const boundTo = (object: KubeObject) => ({
    boundObjectRef: { apiVersion: 'v1', kind: object.kind, name: object.metadata.name, uid: object.metadata.uid },
  })

  it('are issued for an hour, name the account, and end in time', async () => {
    const { token, expirationTimestamp } = await issue()
    expect(Date.parse(String(expirationTimestamp)) - clock.now()).toBe(3600_000)
    expect(await authn.authenticate({ bearerToken: token })).toEqual({
      name: 'system:serviceaccount:ns:bot',
      uid: account.metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=/)] },
    })
    clock.jump(3600_000)
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
  })

  it('end with the account, also when another of that name takes its place', async () => {
    const { token } = await issue()
    await authn.authenticate({ bearerToken: token })
    objects.remove(account)
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
    objects.add({ kind: 'ServiceAccount', metadata: { name: 'bot', namespace: 'ns', uid: 'another' } })
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
  })

  it('bound to a pod carry pod and node, and end with the pod', async () => {
    const node = objects.add({ kind: 'Node', metadata: { name: 'moth' } })
    const p = pod()
    const { token } = await issue(boundTo(p))
    expect((await authn.authenticate({ bearerToken: token })).extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': [p.metadata.uid],
      'authentication.kubernetes.io/node-name': ['moth'],
      'authentication.kubernetes.io/node-uid': [node.metadata.uid],
    })
    p.metadata.deletionTimestamp = new Date(clock.now()).toISOString()
    await authn.authenticate({ bearerToken: token })
    clock.jump(61_000)
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
  })

  it('bound to a Secret or a Node end with it', async () => {
    for (const object of [
      objects.add({ kind: 'Secret', metadata: { name: 's', namespace: 'ns' } }),
      objects.add({ kind: 'Node', metadata: { name: 'n' } }),
    ]) {
      const { token } = await issue(boundTo(object))
      await authn.authenticate({ bearerToken: token })
      objects.remove(object)
      await expect(authn.authenticate({ bearerToken: token }), object.kind).rejects.toMatchObject(refused)
    }
  })

  it('are not issued for what does not fit', async () => {
    const p = objects.add({ kind: 'Pod', metadata: { name: 'other', namespace: 'ns' }, spec: { serviceAccountName: 'else' } })
    await expect(issue({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'ghost' } })).rejects.toMatchObject({ reason: 'NotFound' })
    await expect(issue(boundTo(p))).rejects.toMatchObject({ reason: 'BadRequest' })
    await expect(issue({ boundObjectRef: { ...boundTo(p).boundObjectRef, uid: 'old' } })).rejects.toMatchObject({ reason: 'Conflict' })
    await expect(issue({ boundObjectRef: { kind: 'Deployment', name: 'd' } })).rejects.toMatchObject({ reason: 'BadRequest' })
  })

  it('for other audiences are good there and not here', async () => {
    const { token } = await issue({ audiences: ['vault'] })
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
    const review = async (audiences?: string[]) =>
      (
        (await respond('tokenreviews.authentication.k8s.io', {
          kind: 'TokenReview',
          metadata: {},
          spec: { token, ...(audiences ? { audiences } : {}) },
        })) as TokenReview
      ).status
    expect(await review(['vault', 'other'])).toMatchObject({
      authenticated: true,
      audiences: ['vault'],
      user: { username: 'system:serviceaccount:ns:bot' },
    })
    expect(await review()).toMatchObject({ authenticated: false, error: expect.stringContaining('audiences') as string })
  })

  it('that another cluster signed, or that were changed, are refused', async () => {
    const { token } = await issue()
    const [head, , signature] = token.split('.')
    const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'system:serviceaccount:ns:root' })).toString('base64url')
    await expect(authn.authenticate({ bearerToken: `${head}.${payload}.${signature}` })).rejects.toMatchObject(refused)
    const other = createAuthentication({
      caPem: pki.caPem,
      keys: foreign.serviceAccountKeys,
      issuer: ISSUER,
      client: objects.client,
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    })
    await expect(other.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
  })

  it('of the usual length in pods live on for a year for clients that do not read them again', async () => {
    const { token, expirationTimestamp } = await issue({ ...boundTo(pod()), expirationSeconds: 3607 })
    expect(Date.parse(String(expirationTimestamp)) - clock.now()).toBe(3607_000)
    clock.jump(300 * DAY)
    expect((await authn.authenticate({ bearerToken: token })).name).toBe('system:serviceaccount:ns:bot')
  })

  it('can be verified by others with the published keys', async () => {
    const { token } = await issue()
    const get = async (path: string) => {
      const answer = await authn.handlers[path]?.({} as ApiRequest)
      return JSON.parse(Buffer.from(answer?.body as Uint8Array).toString()) as Record<string, unknown>
    }
    const configuration = await get('/.well-known/openid-configuration')
    expect(configuration).toMatchObject({ issuer: ISSUER, jwks_uri: `${ISSUER}/openid/v1/jwks` })
    const keys = createLocalJWKSet((await get('/openid/v1/jwks')) as unknown as Parameters<typeof createLocalJWKSet>[0])
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: ISSUER, currentDate: new Date(clock.now()) })
    expect(payload.sub).toBe('system:serviceaccount:ns:bot')
  })
})

describe('tokens that are kept in Secrets', () => {
  const kept = async () => {
    const account = objects.add({ kind: 'ServiceAccount', metadata: { name: 'bot', namespace: 'ns' } })
    const { uid } = account.metadata
    const token = await signLegacyToken(pki.serviceAccountKeys, { namespace: 'ns', name: 'bot', uid, secret: 'bot-token' })
    const secret = objects.add({
      kind: 'Secret',
      metadata: { name: 'bot-token', namespace: 'ns' },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(token).toString('base64') },
    })
    return { account, secret, token }
  }

  it('name the account, without an end', async () => {
    const { account, token } = await kept()
    clock.jump(3650 * DAY)
    expect(await authn.authenticate({ bearerToken: token })).toEqual({
      name: 'system:serviceaccount:ns:bot',
      uid: account.metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
    })
  })

  it('end with the Secret, with its token, when it is marked, and with the account', async () => {
    const { account, secret, token } = await kept()
    const { data } = secret as KubeObject & { data: Record<string, string> }
    const before = data['token'] ?? ''
    data['token'] = 'b3RoZXI='
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
    data['token'] = before
    secret.metadata.labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' }
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
    delete secret.metadata.labels
    await authn.authenticate({ bearerToken: token })
    objects.remove(account)
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
    objects.add({ ...account, kind: 'ServiceAccount' })
    objects.remove(secret)
    await expect(authn.authenticate({ bearerToken: token })).rejects.toMatchObject(refused)
  })

  it('of another cluster are refused', async () => {
    await kept()
    const subject = { namespace: 'ns', name: 'bot', uid: 'u', secret: 'bot-token' }
    await expect(authn.authenticate({ bearerToken: await signLegacyToken(foreign.serviceAccountKeys, subject) })).rejects.toMatchObject(
      refused,
    )
  })
})

describe('impersonation', () => {
  const allow =
    (...allowed: string[]): Authorizer =>
    async ({ verb, resource }) => {
      const what = `${verb} ${resource?.resource}${resource?.subresource ? `/${resource.subresource}` : ''} ${resource?.namespace}/${resource?.name}`
      return { allowed: allowed.includes(what), reason: '' }
    }
  const jane: UserInfo = { name: 'jane', groups: ['system:authenticated'], uid: '7' }

  it('is not asked for without headers', async () => {
    expect(await authn.impersonate(jane, {}, allow())).toBe(jane)
  })

  it('needs the right for the user, each group, the uid and each extra value', async () => {
    const headers = {
      'impersonate-user': 'joe',
      'impersonate-group': 'a\nb',
      'impersonate-uid': 'u',
      'impersonate-extra-example.com%2fscopes': 'x\ny',
    }
    const all = [
      'users /joe',
      'groups /a',
      'groups /b',
      'uids /u',
      'userextras/example.com/scopes /x',
      'userextras/example.com/scopes /y',
    ].map((one) => `impersonate ${one}`)
    expect(await authn.impersonate(jane, headers, allow(...all))).toEqual({
      name: 'joe',
      groups: ['a', 'b', 'system:authenticated'],
      uid: 'u',
      extra: { 'example.com/scopes': ['x', 'y'] },
    })
    for (const missing of all) {
      const rights = allow(...all.filter((one) => one !== missing))
      await expect(authn.impersonate(jane, headers, rights), missing).rejects.toMatchObject({ reason: 'Forbidden' })
    }
    await expect(authn.impersonate(jane, headers, allow())).rejects.toThrow(
      'users "joe" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
  })

  it('of a service account brings its groups; of anonymous, theirs', async () => {
    const as = (user: string, right: string) => authn.impersonate(jane, { 'impersonate-user': user }, allow(`impersonate ${right}`))
    expect((await as('system:serviceaccount:ns:bot', 'serviceaccounts ns/bot')).groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ])
    expect((await as('system:anonymous', 'users /system:anonymous')).groups).toEqual(['system:unauthenticated'])
  })

  it('of groups without a user is a bad request', async () => {
    await expect(authn.impersonate(jane, { 'impersonate-group': 'system:masters' }, allow())).rejects.toMatchObject({
      reason: 'BadRequest',
    })
  })
})

it('SelfSubjectReview says who asks', async () => {
  const review = await respond(
    'selfsubjectreviews.authentication.k8s.io',
    { kind: 'SelfSubjectReview', metadata: {} },
    { user: { name: 'jane', groups: ['g'], extra: { k: ['v'] } } },
  )
  expect(review).toMatchObject({ status: { userInfo: { username: 'jane', groups: ['g'], extra: { k: ['v'] } } } })
})
