import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, deployment, lease, namespace, pod, service } from '../../api/kinds.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const config = (name: string, data = {}) => ({ metadata: { name, namespace: 'default' }, data })
const web = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
}
const at = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`

describe('update', () => {
  it('on an old version is a conflict, in upstream words', async () => {
    const made = await test.client.create(configMap, config('a'))
    await test.client.update(configMap, { ...made, data: { x: '1' } })
    const { status, json } = await send(test.client, 'PUT', at('a'), { ...made, data: { x: '2' } })
    expect(status).toBe(409)
    expect(json).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: 'a', kind: 'configmaps' },
    })
  })

  it('without a version is done on whatever is there', async () => {
    await test.client.create(configMap, config('a', { x: '1' }))
    const { status, json } = await send(test.client, 'PUT', at('a'), config('a', { y: '2' }))
    expect([status, json['data']]).toEqual([200, { y: '2' }])
  })

  it('of another object with the same name is a conflict', async () => {
    const made = await test.client.create(configMap, config('a'))
    const other = { ...made, metadata: { ...made.metadata, uid: 'another' } }
    await expect(test.client.update(configMap, other)).rejects.toThrow(
      `Precondition failed: UID in precondition: another, UID in object meta: ${made.metadata.uid}`,
    )
  })

  it('that changes nothing writes nothing', async () => {
    const made = await test.client.create(configMap, config('a', { x: '1' }))
    await test.clock.advance(5000)
    const same = await test.client.update(configMap, { ...made, data: { ...made.data } })
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
    expect(same.metadata.managedFields).toEqual(made.metadata.managedFields)
  })

  it('keeps what only the server says', async () => {
    const made = await test.client.create(deployment, web)
    const { json } = await send(test.client, 'PUT', '/apis/apps/v1/namespaces/default/deployments/web', {
      ...web,
      metadata: { ...web.metadata, creationTimestamp: '2001-01-01T00:00:00Z', generation: 99 },
    })
    expect(json['metadata']).toMatchObject({ uid: made.metadata.uid, creationTimestamp: made.metadata.creationTimestamp, generation: 1 })
  })

  it('counts a new generation for a new spec only', async () => {
    const made = await test.client.create(deployment, web)
    const labelled = await test.client.update(deployment, { ...made, metadata: { ...made.metadata, labels: { x: 'y' } } })
    expect(labelled.metadata.generation).toBe(1)
    const scaled = await test.client.update(deployment, { ...labelled, spec: { ...labelled.spec, replicas: 3 } })
    expect(scaled.metadata.generation).toBe(2)
    const observed = await test.client.update(deployment, { ...scaled, status: { observedGeneration: 2 } }, { subresource: 'status' })
    expect(observed.metadata.generation).toBe(2)
    expect(observed.status.observedGeneration).toBe(2)
  })

  it('keeps spec and status apart', async () => {
    const made = await test.client.create(deployment, web)
    const main = await test.client.update(deployment, { ...made, status: { replicas: 5 } })
    expect(main.status.replicas).toBeUndefined()
    const part = { ...main, spec: { ...main.spec, replicas: 9 }, status: { replicas: 5 } }
    const status = await test.client.update(deployment, part, { subresource: 'status' })
    expect([status.spec.replicas, status.status.replicas]).toEqual([2, 5])
  })

  it('refuses a name or namespace that is not that of the path', async () => {
    await test.client.create(configMap, config('a'))
    const named = await send(test.client, 'PUT', at('a'), config('b'))
    expect([named.status, named.json['message']]).toEqual([400, 'the name of the object (b) does not match the name on the URL (a)'])
    const nameless = await send(test.client, 'PUT', at('a'), { metadata: {} })
    expect(nameless.json['message']).toBe('the name of the object (a based on URL) was undeterminable: name must be provided')
    const elsewhere = await send(test.client, 'PUT', at('a'), { metadata: { name: 'a', namespace: 'kube-system' } })
    expect(elsewhere.json['message']).toBe('the namespace of the provided object does not match the namespace sent on the request')
  })

  it('of what does not exist is 404, or makes it where the kind allows that', async () => {
    const missing = await send(test.client, 'PUT', at('a'), config('a'))
    expect([missing.status, missing.json['message']]).toEqual([404, 'configmaps "a" not found'])
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
    const made = await send(test.client, 'PUT', path, { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } })
    expect([made.status, (await test.client.get(lease, { name: 'l', namespace: 'default' })).spec?.holderIdentity]).toEqual([201, 'me'])
  })

  it('that creates needs the right to create', async () => {
    const allowed = new Set(['update'])
    await using strict = await startTestServer({ authorize: async ({ verb }) => ({ allowed: allowed.has(verb), reason: '' }) })
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
    const { status, json } = await send(strict.client, 'PUT', path, { metadata: { name: 'l' } })
    expect([status, json['message']]).toEqual([
      403,
      'leases.coordination.k8s.io "l" is forbidden: User "admin" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"',
    ])
  })

  it('with dryRun changes nothing', async () => {
    const made = await test.client.create(configMap, config('a', { x: '1' }))
    const dry = await test.client.update(configMap, { ...made, data: { x: '2' } }, { dryRun: true })
    expect([dry.data, dry.metadata.resourceVersion]).toEqual([{ x: '2' }, made.metadata.resourceVersion])
    expect((await test.client.get(configMap, made.metadata)).data).toEqual({ x: '1' })
  })

  it('by a hundred writers on one object loses none', async () => {
    await test.client.create(configMap, config('a'))
    const add = async (i: number) => {
      for (;;) {
        const now = await test.client.get(configMap, { name: 'a', namespace: 'default' })
        try {
          return await test.client.update(configMap, { ...now, data: { ...now.data, [`k${i}`]: '' } })
        } catch (error) {
          if ((error as { reason?: string }).reason !== 'Conflict') throw error
        }
      }
    }
    await Promise.all(Array.from({ length: 100 }, (_, i) => add(i)))
    const { data } = await test.client.get(configMap, { name: 'a', namespace: 'default' })
    expect(Object.keys(data ?? {})).toHaveLength(100)
  })

  it('sees what another process wrote a moment ago', async () => {
    const made = await test.client.create(configMap, config('a', { x: '1' }))
    await using other = await startTestServer({ store: test.store, clock: test.clock })
    const theirs = await other.client.update(configMap, { ...made, data: { x: '2' } })
    await expect(test.client.update(configMap, { ...made, data: { x: '3' } })).rejects.toMatchObject({ reason: 'Conflict' })
    const ours = await test.client.update(configMap, { ...theirs, data: { x: '4' } })
    expect(ours.data).toEqual({ x: '4' })
    expect((await other.client.get(configMap, made.metadata)).data).toEqual({ x: '4' })
  })
})

describe('subresources', () => {
  const scalePath = '/apis/apps/v1/namespaces/default/deployments/web/scale'

  it('show and change the scale of what has replicas', async () => {
    const made = await test.client.create(deployment, web)
    const shown = await send(test.client, 'GET', scalePath)
    expect(shown.json).toEqual({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        name: 'web',
        namespace: 'default',
        uid: made.metadata.uid,
        resourceVersion: made.metadata.resourceVersion,
        creationTimestamp: made.metadata.creationTimestamp,
      },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'a=b' },
    })
    const put = await send(test.client, 'PUT', scalePath, { metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 4 } })
    expect(put.json['spec']).toEqual({ replicas: 4 })
    const patched = await send(
      test.client,
      'PATCH',
      scalePath,
      { spec: { replicas: 5 } },
      { 'content-type': 'application/merge-patch+json' },
    )
    expect(patched.json['spec']).toEqual({ replicas: 5 })
    const now = await test.client.get(deployment, made.metadata)
    expect([now.spec.replicas, now.metadata.generation]).toEqual([5, 3])
    const stale = { metadata: { name: 'web', resourceVersion: made.metadata.resourceVersion }, spec: { replicas: 1 } }
    expect((await send(test.client, 'PUT', scalePath, stale)).status).toBe(409)
    const below = await send(test.client, 'PUT', scalePath, { metadata: { name: 'web' }, spec: { replicas: -1 } })
    expect([below.status, below.json['message']]).toEqual([
      422,
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ])
  })

  it('show the scale as a table of its own', async () => {
    await test.client.create(deployment, web)
    const { json } = await send(test.client, 'GET', scalePath, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
    expect(json).toMatchObject({
      kind: 'Table',
      columnDefinitions: [{ name: 'Name' }, { name: 'Desired' }, { name: 'Available' }, { name: 'Age' }],
      rows: [{ cells: ['web', 2, 0, expect.any(String)] }],
    })
  })

  it('that the kind does not have are not found', async () => {
    await test.client.create(configMap, config('a'))
    const { status, json } = await send(test.client, 'GET', `${at('a')}/status`)
    expect([status, json['message']]).toEqual([404, 'the server could not find the requested resource'])
  })

  it('bind a pod to a node, once', async () => {
    const made = await test.client.create(pod, {
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
    const hope = { status: { nominatedNodeName: 'm' } }
    const hoping = await test.client.patch(pod, made.metadata, { type: 'merge', body: hope }, { subresource: 'status' })
    expect(hoping.status.nominatedNodeName).toBe('m')
    const path = '/api/v1/namespaces/default/pods/p/binding'
    const { status, json } = await send(test.client, 'POST', path, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } })
    expect([status, json]).toEqual([201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }])
    const bound = await test.client.get(pod, made.metadata)
    expect(bound.spec.nodeName).toBe('n')
    expect(bound.status.nominatedNodeName).toBeUndefined()
    expect(bound.status.conditions).toEqual([{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }])
    const again = await send(test.client, 'POST', path, { target: { kind: 'Node', name: 'm' } })
    expect([again.status, again.json['message']]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"',
    ])
    const invalid = await send(test.client, 'POST', '/api/v1/namespaces/default/bindings', {
      metadata: { name: 'p' },
      target: { kind: 'X', name: 'm' },
    })
    expect([invalid.status, invalid.json['message']]).toEqual([
      422,
      'Binding "p" is invalid: target.kind: Unsupported value: "X": supported values: "Node", "<empty>"',
    ])
  })

  it('finalize a namespace, which ends it', async () => {
    await test.client.create(namespace, { metadata: { name: 'old' } })
    await test.client.delete(namespace, { name: 'old' })
    const waiting = await test.client.get(namespace, { name: 'old' })
    expect([waiting.status.phase, waiting.spec.finalizers]).toEqual(['Terminating', ['kubernetes']])
    const last = await test.client.update(namespace, { ...waiting, spec: { finalizers: [] } }, { subresource: 'finalize' })
    expect(last.metadata.name).toBe('old')
    await expect(test.client.get(namespace, { name: 'old' })).rejects.toMatchObject({ reason: 'NotFound' })
  })

  it('keep a service its addresses', async () => {
    const made = await test.client.create(service, {
      metadata: { name: 's', namespace: 'default' },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    })
    const { json } = await send(test.client, 'PUT', '/api/v1/namespaces/default/services/s', {
      metadata: { name: 's' },
      spec: { type: 'NodePort', ports: [{ port: 80 }], selector: { a: 'b' } },
    })
    expect(json['spec']).toMatchObject({ clusterIP: made.spec.clusterIP, ports: [{ nodePort: made.spec.ports?.[0]?.nodePort }] })
  })
})
