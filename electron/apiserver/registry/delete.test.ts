import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, namespace, pod, service } from '../../api/kinds.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const config = (name: string, meta = {}) => ({ metadata: { name, namespace: 'default', ...meta } })
const path = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`
const boundPod = async () => {
  await test.client.create(pod, {
    metadata: { name: 'p', namespace: 'default' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  })
  return { name: 'p', namespace: 'default' }
}

describe('delete', () => {
  it('answers with a Status that names what is gone', async () => {
    const made = await test.client.create(configMap, config('a'))
    const { status, json } = await send(test.client, 'DELETE', path('a'))
    expect([status, json]).toEqual([
      200,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: made.metadata.uid },
      },
    ])
    const again = await send(test.client, 'DELETE', path('a'))
    expect([again.status, again.json['message']]).toEqual([404, 'configmaps "a" not found'])
  })

  it('answers with the object where upstream does, under the revision of its end', async () => {
    const made = await test.client.create(service, { ...config('s'), spec: { ports: [{ port: 80 }] } })
    const gone = await test.client.delete(service, made.metadata)
    expect(Number(gone?.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
  })

  it('with finalizers marks the object, which goes with the last of them', async () => {
    await test.client.create(configMap, config('a', { finalizers: ['example.com/x', 'example.com/y'] }))
    const marked = await test.client.delete(configMap, config('a').metadata)
    expect(marked?.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 })
    await test.clock.advance(10_000)
    const again = await test.client.delete(configMap, config('a').metadata)
    expect(again?.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z')
    const one = await test.client.patch(configMap, config('a').metadata, {
      type: 'merge',
      body: { metadata: { finalizers: ['example.com/y'] } },
    })
    expect(one.metadata.finalizers).toEqual(['example.com/y'])
    await expect(
      test.client.patch(configMap, config('a').metadata, {
        type: 'merge',
        body: { metadata: { finalizers: ['example.com/y', 'example.com/z'] } },
      }),
    ).rejects.toMatchObject({
      code: 422,
      message:
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/z"}',
    })
    const last = await test.client.patch(configMap, config('a').metadata, { type: 'merge', body: { metadata: { finalizers: [] } } })
    expect(last.metadata.name).toBe('a')
    await expect(test.client.get(configMap, config('a').metadata)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('in the foreground waits for the dependents', async () => {
    await test.client.create(configMap, config('a'))
    const { status, json } = await send(test.client, 'DELETE', path('a'), {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
    })
    expect([status, (json['metadata'] as { finalizers: unknown }).finalizers]).toEqual([200, ['foregroundDeletion']])
    const accepted = await send(test.client, 'DELETE', `${path('a')}?orphanDependents=false`)
    expect(accepted.status).toBe(200)
  })

  it('refuses what cannot be meant', async () => {
    await test.client.create(configMap, config('a'))
    const unknown = await send(test.client, 'DELETE', `${path('a')}?propagationPolicy=Sideways`)
    expect([unknown.status, unknown.json['message']]).toEqual([
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    ])
    const both = await send(test.client, 'DELETE', path('a'), { propagationPolicy: 'Orphan', orphanDependents: true })
    expect(both.json['message']).toContain('orphanDependents and deletionPropagation cannot be both set')
    const kind = await send(test.client, 'DELETE', path('a'), { kind: 'Pod', apiVersion: 'v1' })
    expect([kind.status, kind.json['message']]).toEqual([400, 'decoded object cannot be converted to DeleteOptions'])
  })

  it('is done to the object that the client saw', async () => {
    const made = await test.client.create(configMap, config('a'))
    await expect(test.client.delete(configMap, made.metadata, { preconditions: { uid: 'x' } })).rejects.toMatchObject({ code: 409 })
    await expect(
      test.client.delete(configMap, made.metadata, {
        preconditions: { resourceVersion: made.metadata.resourceVersion, uid: made.metadata.uid },
      }),
    ).resolves.toBeNull()
  })

  it('with dryRun leaves everything as it is', async () => {
    await test.client.create(configMap, config('a'))
    await test.client.delete(configMap, config('a').metadata, { dryRun: ['All'] })
    await expect(test.client.get(configMap, config('a').metadata)).resolves.toBeTruthy()
    const refused = await send(test.client, 'DELETE', `${path('a')}?dryRun=Some`)
    expect(refused.json['message']).toBe(
      'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    )
  })

  it('by many at once succeeds for all or finds nothing', async () => {
    await test.client.create(configMap, config('a'))
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => test.client.delete(configMap, config('a').metadata)))
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1)
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toMatchObject({ reason: 'NotFound' })
  })
})

describe('the end of a pod', () => {
  it('is its kubelet to make: the first delete says by when', async () => {
    const at = await boundPod()
    const ends = await test.client.delete(pod, at)
    expect(ends?.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 })
    const again = await test.client.delete(pod, at)
    expect(again?.metadata.deletionTimestamp).toBe('2026-01-01T00:00:30Z')
    const gone = await test.client.delete(pod, at, { gracePeriodSeconds: 0 })
    expect(gone?.metadata.deletionGracePeriodSeconds).toBe(0)
    await expect(test.client.get(pod, at)).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('comes at once where no node has it, and is seen in two steps', async () => {
    const at = { name: 'p', namespace: 'default' }
    await test.client.create(pod, { metadata: at, spec: { containers: [{ name: 'c', image: 'i' }] } })
    const seen: string[] = []
    const watching = (async () => {
      for await (const { type, object } of test.client.watch(pod, { sendInitialEvents: false, resourceVersionMatch: 'NotOlderThan' })) {
        seen.push(`${type} ${object.metadata.deletionTimestamp ?? '-'}`)
        if (type === 'DELETED') return
      }
    })()
    await test.client.get(pod, at)
    await test.client.delete(pod, at)
    await watching
    expect(seen).toEqual(['MODIFIED 2026-01-01T00:00:00Z', 'DELETED 2026-01-01T00:00:00Z'])
  })

  it('can be asked for by an eviction', async () => {
    const at = await boundPod()
    const { status, json } = await send(test.client, 'POST', '/api/v1/namespaces/default/pods/p/eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p' },
      deleteOptions: { gracePeriodSeconds: 7 },
    })
    expect([status, json]).toEqual([201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }])
    expect((await test.client.get(pod, at)).metadata.deletionGracePeriodSeconds).toBe(7)
  })
})

describe('delete of a namespace', () => {
  it('is refused for those that every cluster needs', async () => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      await expect(test.client.delete(namespace, { name })).rejects.toMatchObject({
        code: 403,
        message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
      })
    }
  })

  it('leaves it until it is empty', async () => {
    await test.client.create(namespace, { metadata: { name: 'old' } })
    const ends = await test.client.delete(namespace, { name: 'old' })
    expect([ends?.status.phase, ends?.metadata.deletionTimestamp]).toEqual(['Terminating', '2026-01-01T00:00:00Z'])
    expect((await test.client.delete(namespace, { name: 'old' }))?.status.phase).toBe('Terminating')
  })
})

describe('deletecollection', () => {
  it('deletes what it selects and answers with it', async () => {
    for (const [name, x] of [
      ['a', '1'],
      ['b', '2'],
      ['c', '1'],
    ])
      await test.client.create(configMap, config(name ?? '', { labels: { x } }))
    const { status, json } = await send(test.client, 'DELETE', '/api/v1/namespaces/default/configmaps?labelSelector=x%3D1')
    expect([status, json['kind']]).toEqual([200, 'ConfigMapList'])
    expect((json['items'] as { metadata: { name: string } }[]).map((o) => o.metadata.name)).toEqual(['a', 'c'])
    expect((await test.client.list(configMap, { namespace: 'default' })).items.map((o) => o.metadata.name)).toEqual(['b'])
  })

  it('keeps to the namespace', async () => {
    await test.client.create(configMap, config('a'))
    await test.client.create(configMap, config('a', { namespace: 'kube-system' }))
    await test.client.deleteCollection(configMap, { namespace: 'default' })
    expect((await test.client.list(configMap)).items.map((o) => o.metadata.namespace)).toEqual(['kube-system'])
  })
})
