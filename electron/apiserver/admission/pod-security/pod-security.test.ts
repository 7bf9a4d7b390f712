import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deployment, namespace, pod, runtimeClass } from '../../../api/kinds.gen.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import type { Draft } from '../../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../../testing/harness.ts'
import { send } from '../../testing/raw.ts'
import type { Auditor, AuditTrail } from '../../types.ts'

const P = 'pod-security.kubernetes.io/'
const SHARED = 'host namespaces (hostNetwork=true)'

let test: TestServer
let notes: Record<string, string>
beforeEach(async () => {
  notes = {}
  test = await startTestServer({ auditor })
})
afterEach(() => test.stop())

const trail = { annotate: (key: string, value: string) => void (key.startsWith(P) && (notes[key.slice(P.length)] ??= value)) }
const auditor: Auditor = {
  begin: () => new Proxy({} as AuditTrail, { get: (_none, name) => (name === 'annotate' ? trail.annotate : () => undefined) }),
  unauthenticated() {},
}

/** Labels without what they all begin with. */
const labelled = (labels: Record<string, string>) => Object.fromEntries(Object.entries(labels).map(([key, value]) => [P + key, value]))
const space = (labels: Record<string, string>) => test.client.create(namespace, { metadata: { name: 'n', labels: labelled(labels) } })
const relabel = (labels: Record<string, string | null>) => {
  const body = JSON.stringify({ metadata: { labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [P + key, value])) } })
  return request('PATCH', '/api/v1/namespaces/n', body, 'application/merge-patch+json')
}
const spec = (more: Draft<Pod['spec']> = {}) => ({ containers: [{ name: 'c', image: 'i' }], ...more })
const draft = (name: string, more: Draft<Pod['spec']> = {}, meta: object = {}) => ({
  metadata: { name, namespace: 'n', ...meta },
  spec: spec(more),
})
const add = (name: string, more?: Draft<Pod['spec']>, meta?: object) => test.client.create(pod, draft(name, more, meta))

async function request(method: string, path: string, body: unknown, type?: string) {
  const { status, headers } = await send(test.client, method, path, body, ...(type ? [{ 'content-type': type }] : []))
  const warnings = [...(headers['warning'] ?? '').matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(
    ([, text]) => JSON.parse(text ?? '') as string,
  )
  return { status, warnings }
}
const post = (what: string, body: unknown) => request('POST', `${what}`, body)
const workload = (more: Draft<Pod['spec']>) => {
  const labels = { app: 'w' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'w', namespace: 'n' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: spec(more) } },
  }
}

describe('pods', () => {
  it('may be anything in a namespace without labels', async () => {
    await test.client.create(namespace, { metadata: { name: 'n' } })
    const answer = await post('/api/v1/namespaces/n/pods', draft('p', { hostNetwork: true }))
    expect([answer, notes]).toEqual([{ status: 201, warnings: [] }, { 'enforce-policy': 'privileged:latest' }])
  })

  it('are refused where they are not as the namespace asks, in upstream words', async () => {
    await space({ enforce: 'baseline' })
    const message = `pods "p" is forbidden: violates PodSecurity "baseline:latest": ${SHARED}`
    await expect(add('p', { hostNetwork: true })).rejects.toMatchObject({ code: 403, message })
    await add('q')
  })

  it('are judged as the version of the labels did', async () => {
    await space({ enforce: 'restricted', 'enforce-version': 'v1.7' })
    await expect(add('p')).rejects.toThrow(
      'pods "p" is forbidden: violates PodSecurity "restricted:v1.7": runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
    )
  })

  it('are warned of, and noted, where that is all that the namespace asks', async () => {
    await space({ warn: 'baseline', 'warn-version': 'v1.20', audit: 'baseline' })
    const { status, warnings } = await post('/api/v1/namespaces/n/pods', draft('p', { hostNetwork: true }))
    expect([status, warnings]).toEqual([201, [`would violate PodSecurity "baseline:v1.20": ${SHARED}`]])
    expect(notes).toEqual({
      'enforce-policy': 'privileged:latest',
      'audit-violations': `would violate PodSecurity "baseline:latest": ${SHARED}`,
    })
  })

  it('that are refused are not warned of', async () => {
    await space({ enforce: 'baseline', warn: 'restricted' })
    expect(await post('/api/v1/namespaces/n/pods', draft('p', { hostNetwork: true }))).toEqual({ status: 403, warnings: [] })
  })

  it('that are there already may be changed where nothing else runs then', async () => {
    await space({})
    await add('p', { hostNetwork: true })
    await relabel({ enforce: 'baseline' })
    const change = (body: object) => test.client.patch(pod, { name: 'p', namespace: 'n' }, { type: 'merge', body })
    await change({ metadata: { labels: { a: 'b' } } })
    await expect(change({ spec: { containers: [{ name: 'c', image: 'other' }] } })).rejects.toThrow(
      'violates PodSecurity "baseline:latest"',
    )
  })

  it('get no debugging container that may do more', async () => {
    await space({ enforce: 'baseline' })
    await add('p')
    const debug = (securityContext: object) =>
      request(
        'PATCH',
        '/api/v1/namespaces/n/pods/p/ephemeralcontainers',
        { spec: { ephemeralContainers: [{ name: 'd', image: 'i', securityContext }] } },
        'application/strategic-merge-patch+json',
      )
    expect(await debug({ privileged: true })).toMatchObject({ status: 403 })
    expect(await debug({})).toMatchObject({ status: 200 })
  })
})

describe('what makes pods', () => {
  it('is warned of what is enforced', async () => {
    await space({ enforce: 'baseline' })
    const { status, warnings } = await post('/apis/apps/v1/namespaces/n/deployments', workload({ hostNetwork: true }))
    expect([status, warnings]).toEqual([201, [`would violate PodSecurity "baseline:latest": ${SHARED}`]])
    expect(notes).toEqual({})
  })

  it('is noted, and never refused', async () => {
    await space({ enforce: 'restricted', warn: 'privileged', audit: 'baseline' })
    const { status, warnings } = await post('/apis/apps/v1/namespaces/n/deployments', workload({ hostPID: true }))
    expect([status, warnings]).toEqual([201, []])
    expect(notes).toEqual({ 'audit-violations': 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)' })
    expect((await test.client.list(deployment, { namespace: 'n' })).items).toHaveLength(1)
  })

  it.each([
    [
      'a CronJob',
      '/apis/batch/v1/namespaces/n/cronjobs',
      { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: spec({ hostIPC: true, restartPolicy: 'Never' }) } } } } },
    ],
    ['a Job', '/apis/batch/v1/namespaces/n/jobs', { spec: { template: { spec: spec({ hostIPC: true, restartPolicy: 'Never' }) } } }],
    [
      'a PodTemplate',
      '/api/v1/namespaces/n/podtemplates',
      { template: { metadata: { labels: { a: 'b' } }, spec: spec({ hostIPC: true }) } },
    ],
  ])('may be %s', async (_name, path, object) => {
    await space({ warn: 'baseline' })
    const answer = await post(path, { metadata: { name: 'x' }, ...object })
    expect(answer).toEqual({ status: 201, warnings: ['would violate PodSecurity "baseline:latest": host namespaces (hostIPC=true)'] })
  })
})

describe('labels of a namespace', () => {
  it('must mean something', async () => {
    const wanted = `Namespace "n" is invalid: [metadata.labels[${P}enforce]: Invalid value: "high": must be one of privileged, baseline, restricted, metadata.labels[${P}warn-version]: Invalid value: "1.30": must be "latest" or "v1.x"]`
    await expect(space({ enforce: 'high', 'warn-version': '1.30' })).rejects.toMatchObject({ code: 422, message: wanted })
    await space({ enforce: 'baseline', 'enforce-version': 'v1.99', audit: 'privileged', warn: 'restricted', 'warn-version': 'latest' })
    expect(await relabel({ enforce: 'high' })).toMatchObject({ status: 422 })
  })

  it('that ask for more tell which pods are not so, once for all that are alike', async () => {
    await space({})
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }]
    for (const name of ['r-2', 'r-1', 'r-3']) await add(name, { hostNetwork: true }, { ownerReferences })
    await add('alone', { hostPID: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] })
    await add('fine')
    expect(await relabel({ enforce: 'baseline', 'enforce-version': 'v1.30' })).toEqual({
      status: 200,
      warnings: [
        'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:v1.30"',
        'alone: host namespaces, hostPath volumes',
        'r-1 (and 2 other pods): host namespaces',
      ],
    })
    expect(await relabel({ enforce: 'privileged' })).toEqual({ status: 200, warnings: [] })
    expect((await relabel({ enforce: 'baseline', warn: 'baseline' })).warnings).toHaveLength(3)
    expect((await relabel({ warn: 'restricted' })).warnings).toEqual([])
  })
})

describe('a configuration', () => {
  const baseline = { level: 'baseline', minor: Infinity } as const
  const free = { level: 'privileged', minor: Infinity } as const
  const exemptions = { usernames: ['operator'], namespaces: ['kube-system', 'tools'], runtimeClasses: ['sandbox'] }
  const host = { hostNetwork: true }
  beforeEach(async () => {
    await test.stop()
    const podSecurity = { defaults: { enforce: baseline, audit: free, warn: free }, exemptions }
    test = await startTestServer({ auditor, admission: { podSecurity } })
  })

  it('says what is asked in namespaces without labels', async () => {
    await space({})
    await expect(add('p', host)).rejects.toThrow(`violates PodSecurity "baseline:latest": ${SHARED}`)
    expect(await relabel({ enforce: 'privileged' })).toEqual({ status: 200, warnings: [] })
    await add('p', host)
    expect(await relabel({ enforce: null })).toMatchObject({ warnings: [expect.anything(), 'p: host namespaces'] })
  })

  it('exempts users, namespaces and runtime classes, and notes it', async () => {
    await space({})
    const own = test.server.clientFor({ name: 'operator', groups: [] })
    await own.create(pod, draft('p', host))
    expect(notes).toEqual({ exempt: 'user' })
    notes = {}
    await test.client.create(namespace, { metadata: { name: 'tools' } })
    await add('p', host, { namespace: 'tools' })
    expect(notes).toEqual({ exempt: 'namespace' })
    notes = {}
    await test.client.create(runtimeClass, { metadata: { name: 'sandbox' }, handler: 'runsc' })
    await add('q', { ...host, runtimeClassName: 'sandbox' })
    expect(notes).toEqual({ exempt: 'runtimeClass' })
    await relabel({ enforce: 'privileged' })
    expect(await relabel({ enforce: 'baseline' })).toMatchObject({ warnings: [expect.anything(), 'p: host namespaces'] })
  })

  it('says of labels that nobody looks at them', async () => {
    const metadata = { name: 'tools', labels: labelled({ enforce: 'restricted', 'enforce-version': 'v1.30', audit: 'baseline' }) }
    expect((await post('/api/v1/namespaces', { metadata })).warnings).toEqual([
      'namespace "tools" is exempt from Pod Security, and the policy (enforce=restricted:v1.30, audit=baseline:latest) will be ignored',
    ])
    expect((await post('/api/v1/namespaces', { metadata: { name: 'kube-other' } })).warnings).toEqual([])
  })
})
