import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MutatingWebhook, RuleWithOperations } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { Scale } from '../../../api/autoscaling/v1/types.gen.ts'
import type { ConfigMap } from '../../../api/core/v1/types.gen.ts'
import {
  configMap,
  deployment,
  endpointSlice,
  mutatingWebhookConfiguration,
  namespace,
  pod,
  service,
  validatingWebhookConfiguration,
} from '../../../api/kinds.gen.ts'
import type { Kind } from '../../../api/kind.ts'
import type { Draft, KubeObject } from '../../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../../testing/harness.ts'
import { startHookServer, type HookServer } from '../../webhooks/testing/hook-server.ts'

interface Review {
  readonly apiVersion: string
  readonly request: Record<string, unknown> & { uid: string; object: Record<string, unknown> | null; operation: string; name: string }
}
type Hook = Draft<MutatingWebhook>
type Response = Record<string, unknown>

const VALIDATING = validatingWebhookConfiguration as unknown as Kind<KubeObject & { webhooks?: MutatingWebhook[] }>
const MUTATING = mutatingWebhookConfiguration as unknown as Kind<KubeObject & { webhooks?: MutatingWebhook[] }>

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const patch = (...operations: object[]): Response => ({ allowed: true, patchType: 'JSONPatch', patch: base64(operations) })
const addData = (key: string, value = 'yes') => patch({ op: 'add', path: `/data/${key}`, value })
const dataOf = ({ request }: Review) => (request.object?.['data'] ?? {}) as Record<string, string>

let plane: TestServer
let hooks: HookServer
/** By path: what the webhook says. */
let says: Record<string, (review: Review) => Response | Promise<Response>>
let raw: ((review: Review) => object | Promise<object>) | null

beforeEach(async () => {
  says = {}
  raw = null
  hooks = await startHookServer(async ({ path, body }) => {
    const review = body as Review
    if (raw) return raw(review)
    const response = await says[path]?.(review)
    return { apiVersion: review.apiVersion, kind: 'AdmissionReview', response: { uid: review.request.uid, ...response } }
  })
  plane = await startTestServer()
})

afterEach(async () => {
  await plane.stop()
  await hooks[Symbol.asyncDispose]()
})

const rule = (
  resource = 'configmaps',
  operations: RuleWithOperations['operations'] = ['CREATE'],
  more: Draft<RuleWithOperations> = {},
) => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: [resource],
  operations: operations ?? [],
  ...more,
})

const hook = (path: string, more: Hook = {}): Hook => ({
  name: `${path}.example.com`,
  clientConfig: { url: hooks.url(`/${path}`), caBundle: hooks.caBundle },
  rules: [rule()],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
})

const register = (kind: typeof VALIDATING, ...webhooks: Hook[]) => plane.client.create(kind, { metadata: { name: 'hooks' }, webhooks })
const make = (data: Record<string, string> = {}, more: Draft<ConfigMap['metadata']> = {}, options: { dryRun?: boolean } = {}) =>
  plane.client.create(configMap, { metadata: { name: 'one', namespace: 'default', ...more }, data }, options)
const reviews = () => hooks.asked.map(({ body }) => body as Review)

describe('a validating webhook', () => {
  it('is told who wants to do what', async () => {
    says['/judge'] = () => ({ allowed: true, warnings: ['look out'] })
    await register(VALIDATING, hook('judge'))
    await make({ a: 'b' }, {}, { dryRun: true })
    expect(hooks.asked[0]).toMatchObject({ path: '/judge', query: '?timeout=10s' })
    expect(reviews()[0]).toMatchObject({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
        requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'one',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
        object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'default' }, data: { a: 'b' } },
        oldObject: null,
        dryRun: true,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] },
      },
    })
  })

  it('refuses in its own words and with its own code', async () => {
    says['/judge'] = () => ({ allowed: false, status: { message: 'not today', code: 403, reason: 'Forbidden' } })
    await register(VALIDATING, hook('judge'))
    await expect(make()).rejects.toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'admission webhook "judge.example.com" denied the request: not today',
    })
    says['/judge'] = () => ({ allowed: false })
    await expect(make()).rejects.toMatchObject({
      code: 400,
      message: 'admission webhook "judge.example.com" denied the request without explanation',
    })
  })

  it('sees updates and deletions with what was there', async () => {
    says['/judge'] = () => ({ allowed: true })
    await register(VALIDATING, hook('judge', { rules: [rule('configmaps', ['UPDATE', 'DELETE'])] }))
    const { metadata } = await make({ a: 'b' })
    await plane.client.patch(configMap, metadata, { type: 'merge', body: { data: { a: 'c' } } })
    await plane.client.delete(configMap, metadata)
    expect(reviews().map(({ request }) => [request.operation, dataOfAny(request.object), dataOfAny(request['oldObject'])])).toEqual([
      ['UPDATE', { a: 'c' }, { a: 'b' }],
      ['DELETE', undefined, { a: 'c' }],
    ])
    expect(reviews().map(({ request }) => (request['options'] as KubeObject).kind)).toEqual(['PatchOptions', 'DeleteOptions'])
  })

  it('is asked only for what its selectors select', async () => {
    says['/judge'] = () => ({ allowed: false })
    await plane.client.patch(namespace, { name: 'default' }, { type: 'merge', body: { metadata: { labels: { strict: 'no' } } } })
    await plane.client.create(namespace, { metadata: { name: 'strict', labels: { strict: 'yes' } } })
    const selectors = { namespaceSelector: { matchLabels: { strict: 'yes' } }, objectSelector: { matchLabels: { judged: 'yes' } } }
    await register(VALIDATING, hook('judge', selectors))
    const labels = { judged: 'yes' }
    await make({}, { labels })
    await make({}, { namespace: 'strict' })
    await expect(make({}, { namespace: 'strict', name: 'two', labels })).rejects.toThrow(/denied the request/)
    expect(hooks.asked).toHaveLength(1)
  })

  it('is never asked about the configuration of admission', async () => {
    says['/judge'] = () => ({ allowed: false })
    const everything = rule('*/*', ['*'], { apiGroups: ['*'], apiVersions: ['*'] })
    await register(VALIDATING, hook('judge', { rules: [everything] }))
    await plane.client.create(MUTATING, { metadata: { name: 'other' }, webhooks: [] })
    await plane.client.delete(MUTATING, { name: 'other' })
    await plane.client.delete(VALIDATING, { name: 'hooks' })
    expect(hooks.asked).toEqual([])
  })

  it('that refuses everything does not keep the server from starting', async () => {
    const everything = rule('*/*', ['*'], { apiGroups: ['*'], apiVersions: ['*'] })
    await register(VALIDATING, hook('judge', { rules: [everything], clientConfig: { url: 'https://127.0.0.1:1/judge' } }))
    await plane.server[Symbol.asyncDispose]()
    const moved = await startTestServer({ store: plane.store, endpoint: { address: '192.0.2.7', port: 6443 } })
    const slice = await moved.client.get(endpointSlice, { name: 'kubernetes', namespace: 'default' })
    expect(slice.endpoints?.[0]?.addresses).toEqual(['192.0.2.7'])
    await moved.server[Symbol.asyncDispose]()
  })

  it('that is unreachable refuses everything, or nothing', async () => {
    await register(VALIDATING, hook('judge', { clientConfig: { url: 'https://127.0.0.1:1/judge' } }))
    await expect(make()).rejects.toMatchObject({
      code: 500,
      reason: 'InternalError',
      message:
        'Internal error occurred: failed calling webhook "judge.example.com": failed to call webhook: ' +
        'Post "https://127.0.0.1:1/judge?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
    })
    await plane.client.patch(
      VALIDATING,
      { name: 'hooks' },
      { type: 'json', body: [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }] },
    )
    await make()
  })

  it('whose authority is another is not believed', async () => {
    await register(VALIDATING, hook('judge', { clientConfig: { url: hooks.url('/judge') } }))
    await expect(make()).rejects.toThrow(/x509: certificate signed by unknown authority$/)
  })

  it('that takes too long is given up', async () => {
    const asked = Promise.withResolvers<void>()
    says['/judge'] = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    await register(VALIDATING, hook('judge', { timeoutSeconds: 2 }))
    const made = make().catch((error: unknown) => error)
    await asked.promise
    await plane.clock.advance(2000)
    expect(await made).toMatchObject({ message: expect.stringMatching(/\?timeout=2s": context deadline exceeded$/) as string })
  })

  it.each<[what: string, answer: (review: Review) => object, why: RegExp]>([
    ['nothing', () => ({}), /received invalid webhook response: webhook response was absent$/],
    [
      'something else',
      ({ apiVersion }) => ({ apiVersion, kind: 'AdmissionReview', response: { uid: 'x', allowed: true } }),
      /expected response.uid="[-0-9a-f]+", got "x"$/,
    ],
    [
      'a change',
      ({ apiVersion, request: { uid } }) => ({ apiVersion, kind: 'AdmissionReview', response: { uid, ...addData('a') } }),
      /validating webhook may not return response.patch$/,
    ],
    ['an error', () => ({ status: 500, text: 'oops' }), /an error on the server \("oops"\) has prevented the request from succeeding$/],
  ])('may not answer %s', async (_, answer, why) => {
    raw = answer
    await register(VALIDATING, hook('judge'))
    await expect(make()).rejects.toThrow(why)
  })

  it('may speak the older version', async () => {
    raw = () => ({ response: { allowed: false, status: { message: 'old' } } })
    await register(VALIDATING, hook('judge', { admissionReviewVersions: ['v1beta1', 'v1'] }))
    await expect(make()).rejects.toThrow('admission webhook "judge.example.com" denied the request: old')
    expect(reviews()[0]?.apiVersion).toBe('admission.k8s.io/v1beta1')
  })

  it('is asked before a stream to a pod is opened', async () => {
    const refuses = async () => {
      throw new Error('the stream was opened')
    }
    await using streaming = await startTestServer({ connectors: { 'pods/attach': { answer: refuses, upgrade: refuses, open: refuses } } })
    says['/judge'] = ({ request }) => ({ allowed: false, status: { message: JSON.stringify(request.object), code: 403 } })
    const webhooks = [hook('judge', { rules: [rule('pods/attach', ['CONNECT'])] })]
    await streaming.client.create(VALIDATING, { metadata: { name: 'hooks' }, webhooks })
    const path = '/api/v1/namespaces/default/pods/one/attach'
    const query = { stdin: 'true', container: 'main' }
    const answer = await streaming.client.request({ method: 'POST', path, query })
    expect(answer.status).toBe(403)
    expect(reviews()[0]?.request).toMatchObject({
      ...{ operation: 'CONNECT', name: 'one', subResource: 'attach', resource: { resource: 'pods' } },
      ...{ kind: { kind: 'PodAttachOptions' }, object: { kind: 'PodAttachOptions', stdin: true, container: 'main' } },
    })
  })

  it('stands behind a Service', async () => {
    await using behind = await startHookServer(
      ({ body }) => {
        const { apiVersion, request } = body as Review
        return { apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: false } }
      },
      ['hook.default.svc'],
    )
    const at = { name: 'hook', namespace: 'default' }
    await register(
      VALIDATING,
      hook('judge', { clientConfig: { service: { ...at, port: behind.port, path: '/in' }, caBundle: behind.caBundle } }),
    )
    await expect(make()).rejects.toThrow(`Post "https://hook.default.svc:${behind.port}/in?timeout=10s": services "hook" not found`)
    await plane.client.create(service, { metadata: at, spec: { type: 'ExternalName', externalName: 'localhost' } })
    await expect(make()).rejects.toThrow(/denied the request without explanation$/)
    expect(behind.asked[0]?.path).toBe('/in')
  })
})

describe('mutating webhooks', () => {
  it('change the object one after the other, in the order of their configurations', async () => {
    says['/b'] = () => addData('first')
    says['/a'] = (review) => (dataOf(review)['first'] ? addData('second') : { allowed: true })
    await plane.client.create(MUTATING, { metadata: { name: 'hooks-2' }, webhooks: [hook('a')] })
    await plane.client.create(MUTATING, { metadata: { name: 'hooks-1' }, webhooks: [hook('b')] })
    expect((await make({ own: 'yes' })).data).toEqual({ own: 'yes', first: 'yes', second: 'yes' })
  })

  it('see of a scale what is scaled, and no more', async () => {
    says['/scale'] = ({ request }) => {
      expect(request['kind']).toEqual({ group: 'autoscaling', version: 'v1', kind: 'Scale' })
      expect(request['resource']).toEqual({ group: 'apps', version: 'v1', resource: 'deployments' })
      expect([request['subResource'], request.object?.['spec'], (request['oldObject'] as Scale).spec]).toEqual([
        'scale',
        { replicas: 2 },
        { replicas: 1 },
      ])
      return patch({ op: 'replace', path: '/spec/replicas', value: 3 })
    }
    await register(MUTATING, hook('scale', { rules: [rule('deployments/scale', ['UPDATE'], { apiGroups: ['apps'] })] }))
    const labels = { app: 'web' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'busybox' }] } }
    const at = { name: 'web', namespace: 'default' }
    await plane.client.create(deployment, { metadata: at, spec: { selector: { matchLabels: labels }, template } })
    await plane.client.patch(deployment, at, { type: 'merge', body: { spec: { replicas: 2 } } }, { subresource: 'scale' })
    expect((await plane.client.get(deployment, at)).spec.replicas).toBe(3)
  })

  it('are followed by defaults and by those that only judge', async () => {
    says['/add'] = () => patch({ op: 'add', path: '/spec/initContainers', value: [{ name: 'init', image: 'busybox' }] })
    says['/judge'] = ({ request }) => ({ allowed: JSON.stringify(request.object).includes('"initContainers"') })
    await register(MUTATING, hook('add', { rules: [rule('pods')] }))
    await register(VALIDATING, hook('judge', { rules: [rule('pods')] }))
    const spec = { containers: [{ name: 'main', image: 'busybox' }] }
    const made = await plane.client.create(pod, { metadata: { name: 'one', namespace: 'default' }, spec })
    expect(made.spec.initContainers?.[0]?.terminationMessagePolicy).toBe('File')
  })

  it('see it once more when they want to and a later one changed it', async () => {
    says['/early'] = (review) => (dataOf(review)['late'] ? addData('seen') : addData('early'))
    says['/never'] = () => ({ allowed: true })
    says['/late'] = () => addData('late')
    await register(MUTATING, hook('early', { reinvocationPolicy: 'IfNeeded' }), hook('never'), hook('late'))
    expect((await make({ own: 'yes' })).data).toEqual({ own: 'yes', early: 'yes', late: 'yes', seen: 'yes' })
    expect(hooks.asked.map(({ path }) => path)).toEqual(['/early', '/never', '/late', '/early'])
  })

  it('are asked in the version that their rules name', async () => {
    const { eventsEvent, event } = await import('../../../api/kinds.gen.ts')
    says['/old'] = ({ request }) => {
      expect(request['kind']).toEqual({ group: '', version: 'v1', kind: 'Event' })
      expect(request['requestKind']).toEqual({ group: 'events.k8s.io', version: 'v1', kind: 'Event' })
      expect(request.object?.['message']).toBe('hello')
      return patch({ op: 'replace', path: '/message', value: 'changed' })
    }
    await register(MUTATING, hook('old', { rules: [rule('events')] }))
    const at = { name: 'one', namespace: 'default' }
    const made = await plane.client.create(eventsEvent, {
      metadata: at,
      ...{ eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'a.b/c', reportingInstance: 'x', action: 'Test' },
      ...{ note: 'hello', reason: 'Testing', type: 'Normal', regarding: { kind: 'Pod', name: 'a', namespace: 'default' } },
    })
    expect(made.note).toBe('changed')
    expect((await plane.client.get(event, at)).message).toBe('changed')
    await plane.client.patch(
      MUTATING,
      { name: 'hooks' },
      { type: 'json', body: [{ op: 'replace', path: '/webhooks/0/matchPolicy', value: 'Exact' }] },
    )
    expect((await plane.client.create(eventsEvent, { ...made, metadata: { ...at, name: 'two' }, note: 'hello' })).note).toBe('hello')
  })

  it.each<[what: string, response: () => Response, why: RegExp]>([
    [
      'a patch that does not fit',
      () => patch({ op: 'remove', path: '/data/none' }),
      /^Internal error occurred: .*Unable to remove nonexistent key: none/,
    ],
    [
      'a patch without its type',
      () => ({ allowed: true, patch: base64([]) }),
      /webhook returned response.patch but not response.patchType$/,
    ],
    ['an object of another shape', () => patch({ op: 'add', path: '/data', value: 'text' }), /^Internal error occurred: /],
  ])('may not answer %s', async (_, response, why) => {
    says['/change'] = response
    await register(MUTATING, hook('change'))
    await expect(make({ a: 'b' })).rejects.toThrow(why)
  })
})

function dataOfAny(object: unknown): unknown {
  return (object as { data?: unknown } | null)?.data
}
