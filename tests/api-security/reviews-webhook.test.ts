/** A server that knows tokens and rights, reached by a kubeconfig with a client certificate; kubectl as whoever it says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SubjectAccessReviewSpec } from '../../electron/api/authorization/v1/types.gen.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { writeKubeconfig } from '../../electron/client/kubeconfig.ts'
import { authority } from './issuer.ts'
import { run, startSecureServer, type SecureServer } from './secure-server.ts'

interface Review {
  readonly apiVersion: string
  readonly kind: string
  readonly spec: SubjectAccessReviewSpec & { readonly token?: string; readonly audiences?: string[] }
}

const undo = new AsyncDisposableStack()
const received: { path: string; client: string; review: Review }[] = []
/** What the server says of a request; by default nothing. */
let opinion: (spec: SubjectAccessReviewSpec) => object
let isBroken: boolean
let kubeconfig: string
let dir: string

beforeAll(async () => {
  const own = await authority(undo)
  dir = await mkdtemp(join(tmpdir(), 'flotilla-reviews-'))
  undo.defer(() => rm(dir, { recursive: true, force: true }))
  const { pki } = own
  const server = createServer(
    { ...pki.serving.current, ca: pki.caPem, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      void json(request).then((body) => {
        const review = body as Review
        const client = String((request.socket as TLSSocket).getPeerCertificate().subject.CN)
        received.push({ path: request.url ?? '', client, review })
        if (isBroken) return void response.writeHead(400).end('broken')
        const status = review.kind === 'TokenReview' ? identity(review.spec.token ?? '') : opinion(review.spec)
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...review, status }))
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const certificate = await pki.issueClient({ commonName: 'flotilla-apiserver' })
  kubeconfig = join(dir, 'webhook.kubeconfig')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/review`
  await writeFile(kubeconfig, writeKubeconfig({ name: 'reviews', server: url, ca: pki.caPem, certificate }))
})
afterAll(() => undo.disposeAsync())
beforeEach(() => {
  received.length = 0
  isBroken = false
  opinion = () => ({ allowed: false })
})

const identity = (token: string) => {
  if (token === 'good') return { authenticated: true, user: { username: 'jane', uid: '7', groups: ['ops'], extra: { team: ['a'] } } }
  if (token === 'expired') return { authenticated: false, error: 'the token is too old' }
  return { authenticated: false }
}
const kubectl = (server: SecureServer, token: string, ...args: string[]) => {
  const flags = [
    '--kubeconfig',
    '/dev/null',
    '--server',
    server.url,
    '--certificate-authority',
    join(server.dir, 'ca.crt'),
    '--token',
    token,
  ]
  return run('kubectl', [...flags, ...args], { env: { HOME: server.dir } })
}
const reviews = (kind: string) => received.filter(({ review }) => review.kind === kind).map(({ review }) => review)

describe('a server that is asked by flags', () => {
  let server: SecureServer
  beforeAll(async () => {
    server = undo.use(
      await startSecureServer({ access: { tokenWebhook: { kubeconfig }, authorizationWebhook: { kubeconfig, unauthorizedTtl: 0 } } }),
    )
    await server.admin.create(namespace, { metadata: { name: 'team' } })
  })

  it('says whose a token is, once for a while', async () => {
    const { out } = await kubectl(server, 'good', 'auth', 'whoami', '-o', 'json')
    expect((JSON.parse(out) as { status: unknown }).status).toEqual({
      userInfo: { username: 'jane', uid: '7', groups: ['ops', 'system:authenticated'], extra: { team: ['a'] } },
    })
    await kubectl(server, 'good', 'auth', 'whoami')
    expect(reviews('TokenReview')).toEqual([
      {
        kind: 'TokenReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: null },
        spec: { token: 'good', audiences: ['https://kubernetes.default.svc.cluster.local'] },
      },
    ])
    expect(received[0]).toMatchObject({ client: 'flotilla-apiserver', path: '/review?timeout=30s' })
    expect((await kubectl(server, 'expired', 'auth', 'whoami')).err).toMatch(/Unauthorized|must be logged in/)
    expect((await kubectl(server, 'unknown', 'auth', 'whoami')).err).toMatch(/Unauthorized|must be logged in/)
  })

  it('is asked what RBAC does not allow, with selectors as requirements', async () => {
    opinion = ({ resourceAttributes: asked }) => ({
      allowed: asked?.resource === 'pods' && asked.namespace === 'team',
      reason: 'says the hook',
    })
    const args = ['get', 'pods', '-n', 'team', '-l', 'app in (a,b),!canary', '--field-selector', 'spec.nodeName=moth']
    const { err } = await kubectl(server, 'good', ...args)
    expect(err).toContain('No resources found')
    expect(
      reviews('SubjectAccessReview')
        .map(({ spec }) => spec)
        .find(({ resourceAttributes }) => resourceAttributes?.resource === 'pods'),
    ).toEqual({
      resourceAttributes: {
        ...{ namespace: 'team', verb: 'list', version: 'v1', resource: 'pods' },
        fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['moth'] }] },
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'In', values: ['a', 'b'] },
            { key: 'canary', operator: 'DoesNotExist' },
          ],
        },
      },
      user: 'jane',
      uid: '7',
      groups: ['ops', 'system:authenticated'],
      extra: { team: ['a'] },
    })
    const refused = await kubectl(server, 'good', 'get', 'secrets', '-n', 'team')
    expect(refused.err).toContain('User "jane" cannot list resource "secrets" in API group "" in the namespace "team": says the hook')
  })

  it('makes a list of what one may do incomplete, and says so', async () => {
    const { err } = await kubectl(server, 'good', 'auth', 'can-i', '--list', '-n', 'team')
    expect(err).toContain('the list may be incomplete: webhook authorizer does not support user rule resolution')
  })

  it('that gives no answer allows nothing, and takes nothing away', async () => {
    isBroken = true
    expect((await kubectl(server, 'good', 'get', 'configmaps', '-n', 'team')).err).toContain('cannot list resource "configmaps"')
    expect((await kubectl(server, 'good', 'auth', 'can-i', 'create', 'selfsubjectreviews.authentication.k8s.io')).out.trim()).toBe('yes')
  })
})

describe('an AuthorizationConfiguration', () => {
  const file = () => join(dir, 'authorization.yaml')
  const document = (first: string) => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
  - type: Webhook
    name: guard.example.com
    webhook:
      timeout: 3s
      subjectAccessReviewVersion: v1
      matchConditionSubjectAccessReviewVersion: v1
      failurePolicy: ${first}
      cacheUnauthorizedRequests: false
      cacheAuthorizedRequests: false
      connectionInfo: { type: KubeConfigFile, kubeConfigFile: ${kubeconfig} }
      matchConditions:
        - expression: has(request.resourceAttributes)
        - expression: request.resourceAttributes.namespace == 'team'
        - expression: "!('system:masters' in request.groups)"
  - { type: Node, name: node }
  - { type: RBAC, name: rbac }
`
  it('asks in its order and where its conditions are met; a denial is the last word; it is followed while the server runs', async () => {
    await writeFile(file(), document('Deny'))
    await using server = await startSecureServer({ access: { authorizationFile: file(), tokenWebhook: { kubeconfig } } })
    const admin = (...args: string[]) => run('kubectl', ['--kubeconfig', config, ...args], { env: { HOME: server.dir } })
    const config = await server.kubeconfig('admin')
    for (const name of ['team', 'other']) await server.admin.create(namespace, { metadata: { name } })
    expect((await admin('create', 'clusterrole', 'ops', '--verb', 'list', '--resource', 'pods')).err).toBe('')
    expect((await admin('create', 'clusterrolebinding', 'ops', '--clusterrole', 'ops', '--group', 'ops')).err).toBe('')
    const get = async (ns: string) => (await kubectl(server, 'good', 'get', 'pods', '-n', ns)).err

    await expect.poll(() => get('team')).toContain('No resources found')
    opinion = () => ({ allowed: false, denied: true, reason: 'closed today' })
    received.length = 0
    expect(await get('team')).toContain('in the namespace "team": closed today')
    expect(await get('other')).toContain('No resources found')
    expect(new Set(reviews('SubjectAccessReview').map(({ spec }) => spec.resourceAttributes?.namespace))).toEqual(new Set(['team']))
    expect((await admin('get', 'pods', '-n', 'team')).err).toContain('No resources found')

    const asked =
      'apiVersion: authorization.k8s.io/v1\nkind: SubjectAccessReview\nspec: { user: joe, resourceAttributes: { verb: get, resource: pods, namespace: team } }'
    const { out } = await run('kubectl', ['--kubeconfig', config, 'create', '-f', '-', '-o', 'json'], {
      input: asked,
      env: { HOME: server.dir },
    })
    expect((JSON.parse(out) as { status: unknown }).status).toEqual({ allowed: false, denied: true, reason: 'closed today' })

    isBroken = true
    expect(await get('team')).toContain('forbidden')
    await writeFile(file(), document('NoOpinion'))
    await expect.poll(() => get('team'), { timeout: 60_000, interval: 500 }).toContain('No resources found')
  })
})
