import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'
import { compareVersions } from './documents.ts'
import { versionInfo } from './version.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const get = (path: string, accept?: string, headers = {}) =>
  send(test.client, 'GET', path, undefined, { ...(accept ? { accept } : {}), ...headers })
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
type Named = { name: string }

describe('discovery', () => {
  it('lists the groups in the order that decides short names', async () => {
    const { json } = await get('/apis')
    expect(json['kind']).toBe('APIGroupList')
    const groups = json['groups'] as (Named & { preferredVersion: unknown })[]
    expect(groups.map((g) => g.name).slice(0, 3)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io'])
    expect(groups.at(-1)?.name).toBe('infra.flotilla.dev')
    expect(groups[1]).toEqual({
      name: 'apps',
      versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    })
    expect((await get('/apis/apps')).json).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...groups[1] })
    expect((await get('/api')).json).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: 'localhost' }],
    })
  })

  it('is the same with a slash at the end of the path, which clients made from OpenAPI send', async () => {
    for (const path of ['/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/version']) {
      const { json } = await get(`${path}/`)
      expect(json).toEqual((await get(path)).json)
    }
    expect((await get('/apis/', AGGREGATED)).json['kind']).toBe('APIGroupDiscoveryList')
    for (const path of ['/version/x', '/api/x/', '/apis/x/']) expect((await get(path)).status).toBe(404)
  })

  it('lists the resources of a version with their subresources', async () => {
    const { json } = await get('/apis/apps/v1')
    expect(json).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'apps/v1' })
    const resources = json['resources'] as Named[]
    expect(resources.find((r) => r.name === 'deployments')).toEqual({
      name: 'deployments',
      singularName: 'deployment',
      namespaced: true,
      kind: 'Deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
    })
    expect(resources.find((r) => r.name === 'deployments/scale')).toEqual({
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    })
    expect((await get('/api/v1')).json['apiVersion']).toBeUndefined()
  })

  it('says everything at once to those who understand it', async () => {
    const answer = await get('/apis', AGGREGATED)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      vary: 'Accept',
      etag: expect.stringMatching(/^"[0-9A-F]{128}"$/) as string,
    })
    const { json } = answer
    expect(json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
    const apps = (json['items'] as { metadata: Named; versions: { resources: Record<string, unknown>[] }[] }[])[1]
    expect(apps?.metadata.name).toBe('apps')
    expect(apps?.versions[0]?.resources.find((r) => r['resource'] === 'deployments')).toEqual({
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: [
        { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get', 'patch', 'update'] },
        { subresource: 'status', responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' }, verbs: ['get', 'patch', 'update'] },
      ],
    })
    const again = await get('/apis', AGGREGATED, { 'if-none-match': answer.headers['etag'] })
    expect([again.status, again.text]).toEqual([304, ''])
    expect(((await get('/api', AGGREGATED)).json['items'] as unknown[]).length).toBe(1)
    expect((await get('/apis', `application/json,${AGGREGATED}`)).json['kind']).toBe('APIGroupList')
  })

  it('knows no others', async () => {
    for (const path of ['/apis/none.example', '/apis/apps/v2', '/api/v2']) expect((await get(path)).status).toBe(404)
  })

  it('orders versions as Kubernetes does', () => {
    const versions = ['v1beta1', 'foo1', 'v2', 'v1alpha1', 'v11alpha2', 'v10', 'v1', 'v3beta1', 'foo10', 'v11beta2']
    expect(versions.sort(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v11beta2',
      'v3beta1',
      'v1beta1',
      'v11alpha2',
      'v1alpha1',
      'foo1',
      'foo10',
    ])
  })
})

describe('the version', () => {
  it('is that of Kubernetes, with a suffix of our own', () => {
    const info = versionInfo({
      version: '0.1.0',
      commit: 'abc',
      date: '2026-01-01T00:00:00Z',
      platform: 'win32',
      arch: 'x64',
      runtime: 'v24.1.0',
    })
    expect(info).toMatchObject({
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.4+flotilla.0.1.0',
      platform: 'windows/amd64',
      goVersion: 'node v24.1.0',
    })
  })
})

describe('health', () => {
  it('is told in a word, or check by check', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) expect((await get(path)).text).toBe('ok')
    expect((await get('/readyz?verbose')).text).toBe(
      '[+]ping ok\n[+]etcd ok\n[+]informer-sync ok\n[+]poststarthook/bootstrap ok\n[+]shutdown ok\nreadyz check passed\n',
    )
    expect((await get('/livez?verbose&exclude=etcd&exclude=none')).text).toBe(
      '[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "none"\nlivez check passed\n',
    )
    expect((await get('/readyz/etcd')).text).toBe('ok')
    expect((await get('/livez/informer-sync')).status).toBe(404)
  })

  it('fails with what it asks', async () => {
    await test.store[Symbol.asyncDispose]()
    const { status, text } = await get('/livez')
    expect([status, text]).toEqual([500, '[+]ping ok\n[-]etcd failed: reason withheld\nlivez check failed\n'])
    expect(await get('/livez/etcd')).toMatchObject({ status: 500, text: 'internal server error: the store is closed\n' })
  })
})

describe('metrics', () => {
  it('count requests by what they were for', async () => {
    await get('/api/v1/nodes')
    await get('/api/v1/nodes/none')
    await get('/api/v1/nodes/none')
    const { text, headers } = await get('/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const labels = 'group="",version="v1",resource="nodes",subresource=""'
    expect(text).toContain(`apiserver_request_total{verb="LIST",${labels},scope="cluster",code="200"} 1\n`)
    expect(text).toContain(`apiserver_request_total{verb="GET",${labels},scope="resource",code="404"} 2\n`)
    expect(text).toContain(`apiserver_request_duration_seconds_bucket{verb="GET",${labels},scope="resource",le="+Inf"} 2\n`)
    expect(text).toMatch(/\nflotilla_store_revision \d+\n/)
  })

  it('count the watches under way', async () => {
    const stop = new AbortController()
    const response = await test.client.request({ method: 'GET', path: '/api/v1/pods', query: { watch: '1' }, signal: stop.signal })
    expect((await get('/metrics')).text).toContain(
      'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="pods",subresource="",component="apiserver"} 1\n',
    )
    stop.abort()
    await response.body[Symbol.asyncDispose]()
    expect((await get('/metrics')).text).not.toMatch(/apiserver_longrunning_requests\{.*resource="pods"/)
  })
})

describe('the root', () => {
  it('lists the paths', async () => {
    const { paths } = (await get('/')).json as { paths: string[] }
    expect(paths).toEqual(
      expect.arrayContaining(['/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/livez', '/metrics', '/version']),
    )
  })
})
