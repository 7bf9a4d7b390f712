import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, deployment, serviceAccount } from '../../api/kinds.gen.ts'
import type { Patch } from '../../client/client.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = { name: 'a', namespace: 'default' }
const path = '/api/v1/namespaces/default/configmaps/a'
const make = (data: Record<string, string> = {}) => test.client.create(configMap, { metadata: at, data })
const patch = (p: Patch) => test.client.patch(configMap, at, p)
const type = (t: string) => ({ 'content-type': `application/${t}` })

describe('patch', () => {
  it('comes in four types', async () => {
    await make({ x: '1' })
    expect((await patch({ type: 'merge', body: { data: { x: null, y: '2' } } })).data).toEqual({ y: '2' })
    expect((await patch({ type: 'json', body: [{ op: 'add', path: '/data/z', value: '3' }] })).data).toEqual({ y: '2', z: '3' })
    expect((await patch({ type: 'strategic', body: { data: { y: null } } })).data).toEqual({ z: '3' })
    const applied = await test.client.patch(
      configMap,
      at,
      { type: 'apply', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { w: '4' } } },
      { fieldManager: 'me' },
    )
    expect(applied.data).toEqual({ w: '4', z: '3' })
  })

  it('merges lists by their keys where it is strategic', async () => {
    const spec = {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: '1' }] } },
    }
    await test.client.create(deployment, { metadata: at, spec })
    const body = { spec: { template: { spec: { containers: [{ name: 'd', image: '2' }] } } } }
    const merged = await test.client.patch(deployment, at, { type: 'strategic', body })
    expect(merged.spec.template.spec?.containers.map((c) => c.name).sort()).toEqual(['c', 'd'])
    const replaced = await test.client.patch(deployment, at, { type: 'merge', body })
    expect(replaced.spec.template.spec?.containers.map((c) => c.name)).toEqual(['d'])
  })

  it('that does not apply is 422, one that is none 400, of no known type 415', async () => {
    await make()
    const gone = await send(test.client, 'PATCH', path, [{ op: 'remove', path: '/data/none' }], type('json-patch+json'))
    expect([gone.status, gone.json['reason']]).toEqual([422, 'Invalid'])
    expect((await send(test.client, 'PATCH', path, '{', type('merge-patch+json'))).status).toBe(400)
    const unknown = await send(test.client, 'PATCH', path, {}, type('json'))
    expect([unknown.status, unknown.json['message']]).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, ' +
        'application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    ])
  })

  it('of what does not exist is 404, but apply makes it', async () => {
    const missing = await send(test.client, 'PATCH', path, {}, type('merge-patch+json'))
    expect([missing.status, missing.json['message']]).toEqual([404, 'configmaps "a" not found'])
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: "1"}\n'
    const made = await send(test.client, 'PATCH', `${path}?fieldManager=me`, body, type('apply-patch+yaml'))
    expect([made.status, made.json['data']]).toEqual([201, { x: '1' }])
    expect((made.json['metadata'] as { managedFields: { operation: string }[] }).managedFields.map((e) => e.operation)).toEqual(['Apply'])
    const again = await send(test.client, 'PATCH', `${path}?fieldManager=me`, body, type('apply-patch+yaml'))
    expect([again.status, again.json['metadata']]).toEqual([200, made.json['metadata']])
  })

  it('that applies to what has items without their keys says so', async () => {
    await test.client.create(serviceAccount, { metadata: at, secrets: [{}] })
    const body = { apiVersion: 'v1', kind: 'ServiceAccount' }
    const target = '/api/v1/namespaces/default/serviceaccounts/a?fieldManager=me'
    const { status, json } = await send(test.client, 'PATCH', target, body, type('apply-patch+yaml'))
    expect([status, json['message']]).toEqual([
      500,
      expect.stringMatching(/failed to create typed live object: associative list with keys has an element that omits all key fields/),
    ])
  })

  it('that applies what another manages is a conflict, unless forced', async () => {
    const apply = (manager: string, x: string, query = '') =>
      send(
        test.client,
        'PATCH',
        `${path}?fieldManager=${manager}${query}`,
        `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"${x}"}}`,
        type('apply-patch+yaml'),
      )
    await apply('one', '1')
    const conflict = await apply('two', '2')
    expect([conflict.status, conflict.json['reason'], conflict.json['message']]).toEqual([
      409,
      'Conflict',
      'Apply failed with 1 conflict: conflict with "one": .data.x',
    ])
    expect(conflict.json['details']).toMatchObject({
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.x' }],
    })
    expect((await apply('two', '2', '&force=true')).json['data']).toEqual({ x: '2' })
    const nobody = await send(test.client, 'PATCH', path, '{}', type('apply-patch+yaml'))
    expect([nobody.status, nobody.json['message']]).toEqual([
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ])
    const forced = await send(test.client, 'PATCH', `${path}?force=true`, {}, type('merge-patch+json'))
    expect(forced.json['message']).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    )
  })

  it('of the resourceVersion is a condition', async () => {
    const made = await make()
    await patch({ type: 'merge', body: { data: { x: '1' } } })
    await expect(
      patch({ type: 'merge', body: { metadata: { resourceVersion: made.metadata.resourceVersion }, data: {} } }),
    ).rejects.toMatchObject({
      reason: 'Conflict',
    })
  })

  it('by a hundred at once loses none', async () => {
    await make()
    await Promise.all(Array.from({ length: 100 }, (_, i) => patch({ type: 'merge', body: { data: { [`k${i}`]: '' } } })))
    expect(Object.keys((await test.client.get(configMap, at)).data ?? {})).toHaveLength(100)
  })

  it('that changes nothing writes nothing', async () => {
    const made = await make({ x: '1' })
    await test.clock.advance(5000)
    expect((await patch({ type: 'merge', body: { data: { x: '1' } } })).metadata).toEqual(made.metadata)
  })

  it('may not change what is immutable', async () => {
    await make()
    await expect(patch({ type: 'merge', body: { metadata: { name: 'b' } } })).rejects.toMatchObject({
      code: 400,
      message: 'the name of the object (b) does not match the name on the URL (a)',
    })
    const uid = await send(test.client, 'PATCH', path, { metadata: { uid: 'x' } }, type('merge-patch+json'))
    expect([uid.status, uid.json['message']]).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.uid: Invalid value: "x": field is immutable',
    ])
    const deleted = await send(
      test.client,
      'PATCH',
      path,
      { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
      type('merge-patch+json'),
    )
    expect([deleted.status, deleted.json['message']]).toEqual([
      422,
      'ConfigMap "a" is invalid: metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
    ])
  })

  it('of the status leaves the spec alone', async () => {
    const spec = {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: '1' }] } },
    }
    await test.client.create(deployment, { metadata: at, spec })
    const body = { spec: { replicas: 9 }, status: { replicas: 2 } }
    const patched = await test.client.patch(deployment, at, { type: 'merge', body }, { subresource: 'status' })
    expect([patched.spec.replicas, patched.status.replicas]).toEqual([1, 2])
    const entry = patched.metadata.managedFields?.find((e) => e.subresource === 'status')
    expect(entry?.fieldsV1).toEqual({ 'f:status': { 'f:replicas': {} } })
  })
})
