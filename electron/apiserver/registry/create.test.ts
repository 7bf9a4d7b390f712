import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pathOf } from '../../api/kind.ts'
import { configMap, job, KINDS, lease, namespace, node, pod, secret } from '../../api/kinds.gen.ts'
import type { Random } from '../../base/random.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = '/api/v1/namespaces/default/configmaps'
const config = (name: string) => ({ metadata: { name, namespace: 'default' } })

describe('create', () => {
  it('fills in what only the server says, whatever the client sent', async () => {
    const sent = {
      metadata: {
        name: 'a',
        uid: 'mine',
        creationTimestamp: '2001-01-01T00:00:00Z',
        deletionTimestamp: '2001-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 5,
        generation: 7,
      },
    }
    const { status, json } = await send(test.client, 'POST', at, sent)
    expect(status).toBe(201)
    const metadata = json['metadata'] as Record<string, unknown>
    expect(metadata).toMatchObject({ name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' })
    expect(metadata['uid']).toMatch(/^[0-9a-f-]{36}$/)
    for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'selfLink'])
      expect(metadata[field]).toBeUndefined()
  })

  it('counts generations of kinds that have them', async () => {
    const { json } = await send(test.client, 'POST', '/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
      status: { replicas: 9 },
    })
    expect(json).toMatchObject({ metadata: { generation: 1 } })
    expect(json['status']).toEqual({})
  })

  it.each(KINDS.filter(({ verbs }) => verbs.includes('create') && verbs.includes('get')).map((kind) => [kind.kind, kind] as const))(
    'answers a %s that says nothing with what it lacks',
    async (_name, kind) => {
      const { status } = await send(test.client, 'POST', pathOf(kind, kind.namespaced ? 'default' : undefined), {})
      expect([201, 400, 422]).toContain(status)
    },
  )

  it('keeps the status that a node registers with', async () => {
    const made = await test.client.create(node, { metadata: { name: 'n' }, status: { capacity: { cpu: '2' } } })
    expect(made.status.capacity).toEqual({ cpu: '2' })
  })

  it('refuses a name that is taken, in upstream words', async () => {
    await test.client.create(configMap, config('a'))
    const { status, json } = await send(test.client, 'POST', at, config('a'))
    expect(status).toBe(409)
    expect(json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "a" already exists',
      reason: 'AlreadyExists',
      details: { name: 'a', kind: 'configmaps' },
      code: 409,
    })
  })

  it('says when the name is that of an object on its way out', async () => {
    const held = await test.client.create(configMap, { metadata: { ...config('a').metadata, finalizers: ['example.com/hold'] } })
    await test.client.delete(configMap, held.metadata)
    await expect(test.client.create(configMap, config('a'))).rejects.toThrow('object is being deleted: configmaps "a" already exists')
  })

  it('labels a namespace with the name that was made for it', async () => {
    const { metadata } = await test.client.create(namespace, { metadata: { generateName: 'web-' } })
    expect(metadata.labels).toEqual({ 'kubernetes.io/metadata.name': metadata.name })
  })

  it('makes a name from generateName, and another if that is taken', async () => {
    const made = await test.client.create(configMap, { metadata: { generateName: 'web-', namespace: 'default' } })
    expect(made.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    const long = await test.client.create(configMap, { metadata: { generateName: 'x'.repeat(80), namespace: 'default' } })
    expect(long.metadata.name).toHaveLength(63)
  })

  it('makes the name and uid before the kind prepares the object, which may write them elsewhere', async () => {
    const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } }
    const made = await test.client.create(job, { metadata: { generateName: 'work-', namespace: 'default' }, spec: { template } })
    const { name, uid } = made.metadata
    expect(made.spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': uid } })
    expect(made.spec.template.metadata.labels).toMatchObject({ 'batch.kubernetes.io/job-name': name, 'controller-uid': uid })
  })

  it('prepares the object anew for each name that it tries', async () => {
    const drawn: number[] = []
    let uids = 0
    const random: Random = {
      float: () => drawn.shift() ?? 0.9,
      bytes: (n) => new Uint8Array(n),
      uuid: () => `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`,
    }
    await using poor = await startTestServer({ random })
    // Both get the same suffix of five letters first, and the second then another one.
    drawn.push(...Array.from({ length: 10 }, () => 0.5), ...Array.from({ length: 5 }, () => 0.1))
    const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } }
    const draft = { metadata: { generateName: 'work-', namespace: 'default' }, spec: { template } }
    const first = await poor.client.create(job, draft)
    const second = await poor.client.create(job, draft)
    expect(second.metadata.name).not.toBe(first.metadata.name)
    expect(second.spec.template.metadata.labels).toMatchObject({
      'batch.kubernetes.io/job-name': second.metadata.name,
      'controller-uid': second.metadata.uid,
    })
  })

  it('gives up when chance brings forth nothing new', async () => {
    const stuck: Random = { float: () => 0.5, bytes: (n) => new Uint8Array(n), uuid: () => '00000000-0000-4000-8000-000000000000' }
    await using poor = await startTestServer({ random: stuck })
    const draft = { metadata: { generateName: 'a-', namespace: 'default' } }
    await poor.client.create(configMap, draft)
    await expect(poor.client.create(configMap, draft)).rejects.toMatchObject({
      reason: 'AlreadyExists',
      message: expect.stringContaining('the server was not able to generate a unique name for the object') as string,
      status: { details: { retryAfterSeconds: 1 } },
    })
  })

  it('needs a name', async () => {
    const { status, json } = await send(test.client, 'POST', at, { metadata: {} })
    expect([status, json['message']]).toEqual([
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ])
    expect(json['details']).toEqual({
      kind: 'ConfigMap',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value: name or generateName is required', field: 'metadata.name' }],
    })
  })

  it('takes the namespace of the path, and no other', async () => {
    const { status, json } = await send(test.client, 'POST', at, { metadata: { name: 'a', namespace: 'kube-system' } })
    expect([status, json['message']]).toEqual([
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ])
  })

  it('refuses a resourceVersion', async () => {
    const { status, json } = await send(test.client, 'POST', at, { metadata: { name: 'a', resourceVersion: '1' } })
    expect([status, json['message'], json['reason']]).toEqual([
      500,
      'resourceVersion should not be set on objects to be created',
      undefined,
    ])
  })

  it('with dryRun stores nothing, and says what it would', async () => {
    const made = await test.client.create(configMap, config('a'), { dryRun: true })
    expect(made.metadata.uid).not.toBe('')
    expect(made.metadata.resourceVersion).toBeUndefined()
    await expect(test.client.get(configMap, made.metadata)).rejects.toMatchObject({ reason: 'NotFound' })
    await test.client.create(configMap, config('a'))
    await expect(test.client.create(configMap, config('a'), { dryRun: true })).rejects.toMatchObject({ reason: 'AlreadyExists' })
  })

  it('does as it is told with unknown fields', async () => {
    const body = { ...config('a'), dato: {}, data: {} }
    const strict = await send(test.client, 'POST', `${at}?fieldValidation=Strict`, body)
    expect([strict.status, strict.json['message']]).toEqual([
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dato"',
    ])
    const warned = await send(test.client, 'POST', at, body)
    expect([warned.status, warned.headers['warning']]).toEqual([201, '299 - "unknown field \\"dato\\""'])
    const ignored = await send(test.client, 'POST', `${at}?fieldValidation=Ignore`, config('b'))
    expect([ignored.status, ignored.headers['warning']]).toEqual([201, undefined])
  })

  it('names an owner once, and says so', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }
    const body = { metadata: { name: 'a', ownerReferences: [owner, { ...owner }, { ...owner, uid: 'v' }] } }
    const { json, headers } = await send(test.client, 'POST', at, body)
    expect((json['metadata'] as { ownerReferences: unknown[] }).ownerReferences).toHaveLength(2)
    expect(headers['warning']).toContain('duplicate UID(s) observed: u')
  })

  it('writes down who manages which fields', async () => {
    const { json } = await send(test.client, 'POST', `${at}?fieldManager=me`, { ...config('a'), data: { x: '1' } })
    expect((json['metadata'] as { managedFields: unknown }).managedFields).toEqual([
      {
        manager: 'me',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:x': {} } },
      },
    ])
  })

  it('leaves the drafts of callers in this process alone', async () => {
    const draft = { metadata: { name: 'a', namespace: 'default', labels: { x: 'y' } }, data: { k: 'v' } }
    const copy = structuredClone(draft)
    await test.client.create(configMap, draft)
    expect(draft).toEqual(copy)
  })

  it('loses none of many at once', async () => {
    const made = await Promise.all(Array.from({ length: 200 }, (_, i) => test.client.create(secret, config(`s${i}`))))
    expect(new Set(made.map((o) => o.metadata.resourceVersion)).size).toBe(200)
    expect((await test.client.list(secret)).items).toHaveLength(200)
  })

  it('of one name by many succeeds once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => test.client.create(lease, config('only'))))
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1)
  })
})

describe('namespaces', () => {
  it('must be there', async () => {
    await expect(test.client.create(configMap, { metadata: { name: 'a', namespace: 'nowhere' } })).rejects.toMatchObject({
      code: 404,
      message: 'namespaces "nowhere" not found',
    })
  })

  it('that end take nothing new', async () => {
    await test.client.create(namespace, { metadata: { name: 'old' } })
    await test.client.delete(namespace, { name: 'old' })
    await expect(test.client.create(pod, { metadata: { name: 'a', namespace: 'old' } })).rejects.toMatchObject({
      code: 403,
      message: 'pods "a" is forbidden: unable to create new content in namespace old because it is being terminated',
      status: {
        details: {
          causes: [{ reason: 'NamespaceTerminating', message: 'namespace old is being terminated', field: 'metadata.namespace' }],
        },
      },
    })
  })
})
