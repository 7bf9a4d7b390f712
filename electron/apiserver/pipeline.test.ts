import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenRequest } from '../api/authentication/v1/token-request.ts'
import { event, eventsEvent, subjectAccessReview } from '../api/kinds.gen.ts'
import { StoreError } from '../store/store.ts'
import { startTestServer, type TestServer } from './testing/harness.ts'
import { send } from './testing/raw.ts'
import type { Attributes, Responder } from './types.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const NOT_FOUND = 'the server could not find the requested resource'
const NOT_ALLOWED = 'the server does not allow this method on the requested resource'

describe('a path', () => {
  it.each(['/nothing', '/api/v2/pods', '/apis/none.example/v1/things', '/api/v1x'])(
    '%s that nobody serves is a plain 404',
    async (path) => {
      const { status, text, headers } = await send(test.client, 'GET', path)
      expect([status, text, headers['content-type']]).toEqual([404, '404 page not found\n', 'text/plain; charset=utf-8'])
    },
  )

  it.each([
    ['GET', '/api/v1/things', 404, NOT_FOUND],
    ['GET', '/api/v1/namespaces/default/nodes', 404, NOT_FOUND],
    ['GET', '/api/v1/pods/a', 404, NOT_FOUND],
    ['GET', '/api/v1/namespaces/default/pods/a/none', 404, NOT_FOUND],
    ['POST', '/api/v1/pods', 405, NOT_ALLOWED],
    ['PUT', '/api/v1/namespaces/default/pods', 405, NOT_ALLOWED],
    ['POST', '/api/v1/namespaces/default/pods/a', 405, NOT_ALLOWED],
    ['DELETE', '/api/v1/namespaces', 405, NOT_ALLOWED],
    ['POST', '/api/v1/namespaces/default/pods/a/status', 405, NOT_ALLOWED],
    ['OPTIONS', '/api/v1/namespaces/default/pods', 405, NOT_ALLOWED],
  ])('%s %s is refused with %i', async (method, path, code, message) => {
    const { status, json } = await send(test.client, method, path, method === 'POST' || method === 'PUT' ? {} : undefined)
    expect([status, json['message'], json['details']]).toEqual([code, message, {}])
  })
})

describe('authorization', () => {
  it('is asked in the terms of RBAC', async () => {
    const asked: Attributes[] = []
    await using strict = await startTestServer({
      authorize: async (attributes) => {
        asked.push(attributes)
        return { allowed: false, reason: '' }
      },
    })
    const { status, json } = await send(strict.client, 'GET', '/api/v1/namespaces/y/pods?fieldSelector=metadata.name%3Dp')
    expect([status, json['message'], json['details']]).toEqual([
      403,
      'pods "p" is forbidden: User "admin" cannot list resource "pods" in API group "" in the namespace "y"',
      { name: 'p', kind: 'pods' },
    ])
    expect(asked[0]).toMatchObject({
      verb: 'list',
      resource: {
        group: '',
        version: 'v1',
        resource: 'pods',
        subresource: '',
        namespace: 'y',
        name: 'p',
        fieldSelector: 'metadata.name=p',
      },
    })
    const path = await send(strict.client, 'GET', '/metrics')
    expect(path.json['message']).toBe('forbidden: User "admin" cannot get path "/metrics"')
  })

  it('comes before everything else', async () => {
    await using strict = await startTestServer({ authorize: async () => ({ allowed: false, reason: 'so it is' }) })
    expect((await send(strict.client, 'POST', '/api/v1/namespaces/nowhere/things', 'rubbish')).status).toBe(403)
    await expect(strict.client.list(event)).rejects.toMatchObject({ code: 403 })
  })

  it('is for the user as whom the request is made', async () => {
    await using other = await startTestServer({
      impersonate: async (user, headers) => ({ ...user, name: headers['impersonate-user'] ?? user.name }),
      authorize: async ({ user }) => ({ allowed: user.name === 'jane', reason: '' }),
    })
    expect((await send(other.client, 'GET', '/version')).status).toBe(403)
    expect((await send(other.client, 'GET', '/version', undefined, { 'Impersonate-User': 'jane' })).status).toBe(200)
  })
})

describe('answers', () => {
  it('come in YAML, or indented, if that is asked for', async () => {
    const yaml = await send(test.client, 'GET', '/api/v1/namespaces/default', undefined, { accept: 'application/yaml' })
    expect(yaml.headers['content-type']).toBe('application/yaml')
    expect(yaml.text).toContain('kind: Namespace\n')
    const pretty = await send(test.client, 'GET', '/api/v1/namespaces/default?pretty=true')
    expect(pretty.text).toContain('\n  "kind": "Namespace"')
    expect((await send(test.client, 'GET', '/api/v1/nodes', undefined, { accept: 'text/html' })).status).toBe(406)
  })

  it('come as tables', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { json } = await send(test.client, 'GET', '/api/v1/namespaces?limit=1', undefined, { accept })
    expect(json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { remainingItemCount: 3 } })
    const rows = json['rows'] as { cells: unknown[]; object: { kind: string } }[]
    expect([rows[0]?.cells.slice(0, 2), rows[0]?.object.kind]).toEqual([['default', 'Active'], 'PartialObjectMetadata'])
    const one = await send(test.client, 'GET', '/api/v1/namespaces/default?includeObject=Object', undefined, { accept })
    expect((one.json['rows'] as { object: { kind: string } }[])[0]?.object.kind).toBe('Namespace')
    const wrong = await send(test.client, 'GET', '/api/v1/namespaces/default?includeObject=All', undefined, { accept })
    expect([wrong.status, wrong.json['message']]).toEqual([
      400,
      "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
    ])
    const missing = await send(test.client, 'GET', '/api/v1/namespaces/none', undefined, { accept })
    expect(missing.json['kind']).toBe('Status')
  })

  it('come as metadata alone', async () => {
    const as = (kind: string) => ({ accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` })
    const one = await send(test.client, 'GET', '/api/v1/namespaces/default', undefined, as('PartialObjectMetadata'))
    expect(Object.keys(one.json).sort()).toEqual(['apiVersion', 'kind', 'metadata'])
    const all = await send(test.client, 'GET', '/api/v1/namespaces', undefined, as('PartialObjectMetadataList'))
    expect([all.json['kind'], (all.json['items'] as unknown[]).length]).toEqual(['PartialObjectMetadataList', 4])
    expect((await send(test.client, 'GET', '/api/v1/namespaces', undefined, as('PartialObjectMetadata'))).status).toBe(406)
  })

  it('tell faults of the store from the client’s', async () => {
    await using broken = await startTestServer({
      authorize: async ({ path }) => {
        if (path === '/version') throw new StoreError('unavailable', 'no disk')
        if (path === '/metrics') throw new TypeError('a defect')
        return { allowed: true, reason: '' }
      },
    })
    expect((await send(broken.client, 'GET', '/version')).json).toMatchObject({
      code: 503,
      reason: 'ServiceUnavailable',
      message: 'no disk',
    })
    expect((await send(broken.client, 'GET', '/metrics')).json).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message: 'Internal error occurred: a defect',
    })
  })
})

describe('what is answered and not stored', () => {
  const responder: Responder = async (object, { user, namespace, name, dryRun }) =>
    ({ ...object, status: { user: user.name, namespace, name, dryRun } }) as never
  const tokenResponder: Responder = Object.assign(responder.bind(null), { kind: tokenRequest })

  it('goes to who answers it, over HTTP and in this process', async () => {
    await using server = await startTestServer({
      responders: { 'subjectaccessreviews.authorization.k8s.io': responder, 'serviceaccounts/token': tokenResponder },
    })
    const spec = { user: 'jane', nonResourceAttributes: { verb: 'get', path: '/' } }
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const { status, json } = await send(server.client, 'POST', path, { spec })
    expect([status, json['status']]).toEqual([201, { user: 'admin', namespace: '', name: '', dryRun: false }])
    const typed = await server.client.create(subjectAccessReview, { spec })
    expect(typed.status).toMatchObject({ user: 'admin' })
    const token = await send(server.client, 'POST', '/api/v1/namespaces/default/serviceaccounts/sa/token?dryRun=All', {
      spec: { audiences: ['a'] },
    })
    expect([token.json['kind'], token.json['status']]).toEqual([
      'TokenRequest',
      { user: 'admin', namespace: 'default', name: 'sa', dryRun: true },
    ])
    expect((await send(server.client, 'GET', path)).status).toBe(405)
  })

  it('is not found where nobody answers', async () => {
    const { status } = await send(test.client, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec: {} })
    expect(status).toBe(404)
  })
})

describe('events', () => {
  it('are one object in two shapes', async () => {
    const at = { name: 'e', namespace: 'default' }
    await test.client.create(event, {
      metadata: at,
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      reason: 'Started',
      message: 'it began',
      type: 'Normal',
    })
    const shown = await test.client.get(eventsEvent, at)
    expect(shown).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event', regarding: { name: 'p' }, note: 'it began' })
    const raw = await send(test.client, 'GET', '/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dp')
    expect(raw.json).toMatchObject({
      kind: 'EventList',
      apiVersion: 'events.k8s.io/v1',
      items: [{ note: 'it began', regarding: { name: 'p' } }],
    })
    const patched = await test.client.patch(eventsEvent, at, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
    expect([patched.note, patched.metadata.labels]).toEqual(['it began', { a: 'b' }])
    expect(await test.client.get(event, at)).toMatchObject({ apiVersion: 'v1', message: 'it began', metadata: { labels: { a: 'b' } } })
    await expect(test.client.patch(eventsEvent, at, { type: 'merge', body: { note: 'other' } })).rejects.toMatchObject({ code: 422 })
  })

  it('are watched in the shape that was asked for', async () => {
    const { metadata } = await test.client.list(event)
    const seen = (async () => {
      for await (const { object } of test.client.watch(eventsEvent, { resourceVersion: metadata.resourceVersion ?? '' })) return object
      return null
    })()
    await test.client.create(event, {
      metadata: { name: 'e', namespace: 'default' },
      involvedObject: { namespace: 'default', name: 'p' },
      message: 'm',
    })
    expect(await seen).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'm' })
  })

  it('end after an hour', async () => {
    await test.client.create(event, { metadata: { name: 'e', namespace: 'default' }, involvedObject: { namespace: 'default', name: 'p' } })
    await test.clock.advance(3600_000)
    expect((await test.client.list(event)).items).toHaveLength(1)
    await test.clock.advance(120_000)
    expect((await test.client.list(event)).items).toHaveLength(0)
  })
})
