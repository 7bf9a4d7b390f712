import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps } from '../../api/apiextensions/v1/types.gen.ts'
import { defineKind, type Kind } from '../../api/kind.ts'
import { lease } from '../../api/coordination/v1/lease.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import type { Client } from '../../client/client.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

interface Custom extends KubeObject {
  [field: string]: unknown
}

const SPEC: Draft<JSONSchemaProps> = {
  type: 'object',
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 9, default: 3 },
    color: { type: 'string', enum: ['red', 'blue'] },
    replicas: { type: 'integer' },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port'],
      items: { type: 'object', required: ['port'], properties: { port: { type: 'integer' }, name: { type: 'string' } } },
    },
  },
}
const SCHEMA: Draft<JSONSchemaProps> = {
  type: 'object',
  required: ['spec'],
  properties: { spec: SPEC, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
}

const version = (name: string, more: Draft<CustomResourceDefinitionVersion> = {}): Draft<CustomResourceDefinitionVersion> => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: SCHEMA },
  ...more,
})

const definition = (
  versions: Draft<CustomResourceDefinitionVersion>[] = [version('v1')],
  names: Draft<CustomResourceDefinition['spec']['names']> = { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
  scope = 'Namespaced',
): Draft<CustomResourceDefinition> => ({
  metadata: { name: `${names.plural}.example.com` },
  spec: { group: 'example.com', scope, names, versions },
})

const widget = (of = 'v1', namespaced = true): Kind<Custom> =>
  defineKind<Custom>({ group: 'example.com', version: of, kind: 'Widget', resource: 'widgets', namespaced, model: '' })

async function until<T>(what: () => Promise<T | null | undefined | false>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const found = await what()
    if (found) return found
    await sleep(2)
  }
  throw new Error('it did not happen')
}

const condition = async (client: Client, name: string, type: string) =>
  (await client.get(customResourceDefinition, { name })).status.conditions?.find((one) => one.type === type)

async function define(server: TestServer, draft = definition()): Promise<CustomResourceDefinition> {
  const made = await server.client.create(customResourceDefinition, draft)
  await until(async () => (await condition(server.client, made.metadata.name, 'Established'))?.status === 'True')
  return made
}

const make = (client: Client, name: string, spec: Record<string, unknown>, of = 'v1') =>
  client.create(widget(of), { metadata: { name, namespace: 'default' }, spec })

const gone = (promise: Promise<unknown>) =>
  promise.then(
    () => false,
    (error: { code?: number }) => error.code === 404,
  )

async function json(client: Client, path: string, accept = 'application/json'): Promise<Record<string, unknown>> {
  const response = await client.request({ method: 'GET', path, headers: { accept } })
  const parts: Uint8Array[] = []
  for await (const part of response.body) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>
}

describe('a custom resource', () => {
  it('is served with defaults, pruned, and checked by its schema', async () => {
    await using server = await startTestServer()
    await define(server)
    const made = await make(server.client, 'a', { color: 'red', other: 1 })
    expect(made).toMatchObject({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { generation: 1 },
      spec: { color: 'red', size: 3 },
    })
    expect(made['spec']).not.toHaveProperty('other')
    await expect(make(server.client, 'b', { color: 'green', size: 12, ports: [{ port: 1 }, { port: 1 }] })).rejects.toMatchObject({
      code: 422,
      message:
        'Widget.example.com "b" is invalid: [spec.size: Invalid value: 12: spec.size in body should be less than or equal to 9, ' +
        'spec.color: Unsupported value: "green": supported values: "red", "blue", spec.ports[1]: Duplicate value: {"port":1}]',
    })
    await expect(server.client.create(widget(), { metadata: { name: 'c', namespace: 'default' } })).rejects.toThrow(
      'Widget.example.com "c" is invalid: spec: Required value',
    )
  })

  it('counts generations of everything but metadata, and of no status that has a subresource', async () => {
    await using server = await startTestServer()
    await define(server, definition([version('v1', { subresources: { status: {} } })]))
    const at = { name: 'a', namespace: 'default' }
    const patch = (body: object, subresource = '') =>
      server.client.patch(widget(), at, { type: 'merge', body }, subresource ? { subresource } : {})
    const made = await server.client.create(widget(), { metadata: at, spec: {}, status: { phase: 'sent' } })
    expect(made).not.toHaveProperty('status')
    expect((await patch({ metadata: { labels: { a: 'b' } } })).metadata.generation).toBe(1)
    expect((await patch({ spec: { color: 'blue' }, status: { phase: 'no' } })).metadata.generation).toBe(2)
    const shown = await patch({ status: { phase: 'Ready' }, spec: { color: 'red' } }, 'status')
    expect(shown).toMatchObject({ metadata: { generation: 2 }, spec: { color: 'blue' }, status: { phase: 'Ready' } })
  })

  it('is served by a changed schema at once, old objects too', async () => {
    await using server = await startTestServer()
    const { metadata } = await define(server)
    await make(server.client, 'a', {})
    const changed = {
      ...SCHEMA,
      properties: { spec: { ...SPEC, properties: { ...SPEC.properties, extra: { type: 'string', default: 'x' } } } },
    }
    const body = { spec: { versions: [version('v1', { schema: { openAPIV3Schema: changed } })] } }
    await server.client.patch(customResourceDefinition, metadata, { type: 'merge', body })
    const read = await until(async () => {
      const object = await server.client.get(widget(), { name: 'a', namespace: 'default' })
      return (object['spec'] as { extra?: string }).extra === 'x' && object
    })
    expect(read).toMatchObject({ spec: { size: 3, extra: 'x' } })
  })

  it('bears with what was wrong before its schema became strict, as long as it stays as it is', async () => {
    await using server = await startTestServer()
    const { metadata } = await define(server)
    await make(server.client, 'a', { size: 9 })
    const strict = {
      ...SCHEMA,
      properties: { spec: { ...SPEC, properties: { ...SPEC.properties, size: { type: 'integer', maximum: 5 } } } },
    }
    const body = { spec: { versions: [version('v1', { schema: { openAPIV3Schema: strict } })] } }
    await server.client.patch(customResourceDefinition, metadata, { type: 'merge', body })
    const at = { name: 'a', namespace: 'default' }
    await until(() =>
      make(server.client, 'b', { size: 6 }).then(
        () => false,
        () => true,
      ),
    )
    await server.client.patch(widget(), at, { type: 'merge', body: { spec: { color: 'red' } } })
    await expect(server.client.patch(widget(), at, { type: 'merge', body: { spec: { size: 8 } } })).rejects.toMatchObject({ code: 422 })
  })

  it('is shown in all versions that are served, and kept in one', async () => {
    await using server = await startTestServer()
    const { metadata } = await define(server, definition([version('v1'), version('v2'), version('v3', { served: false })]))
    await make(server.client, 'a', { color: 'red' }, 'v2')
    const at = { name: 'a', namespace: 'default' }
    expect((await server.client.get(widget('v1'), at)).apiVersion).toBe('example.com/v1')
    expect((await server.client.get(widget('v2'), at)).apiVersion).toBe('example.com/v2')
    expect(await gone(server.client.get(widget('v3'), at))).toBe(true)
    const versions = [version('v1', { storage: false }), version('v2', { storage: true }), version('v3', { served: false })]
    await server.client.patch(customResourceDefinition, metadata, { type: 'merge', body: { spec: { versions } } })
    const stored = async () => (await server.store.range({ key: '/registry/example.com/widgets/default/b' })).kvs[0]?.value
    await until(async () => {
      await server.client.delete(widget(), { ...at, name: 'b' }).catch(() => null)
      await make(server.client, 'b', {})
      return Buffer.from((await stored()) ?? '')
        .toString('utf8')
        .includes('example.com/v2')
    })
    expect((await server.client.list(widget('v1'))).items.map((one) => [one.apiVersion, one.metadata.name])).toEqual([
      ['example.com/v1', 'a'],
      ['example.com/v1', 'b'],
    ])
    expect((await server.client.get(customResourceDefinition, metadata)).status.storedVersions).toEqual(['v1', 'v2'])
  })

  it('is applied by the types of its lists, with owners in every version', async () => {
    await using server = await startTestServer()
    await define(server, definition([version('v1'), version('v2')]))
    const apply = (of: string, fieldManager: string, ports: object[], force = false) =>
      server.client.patch(
        widget(of),
        { name: 'a', namespace: 'default' },
        { type: 'apply', force, body: { apiVersion: `example.com/${of}`, kind: 'Widget', metadata: { name: 'a' }, spec: { ports } } },
        { fieldManager },
      )
    await apply('v1', 'one', [{ port: 1, name: 'a' }])
    await apply('v2', 'two', [{ port: 2, name: 'b' }])
    await expect(apply('v2', 'two', [{ port: 1, name: 'c' }])).rejects.toMatchObject({ code: 409 })
    const after = await apply('v2', 'two', [{ port: 3 }])
    expect(after).toMatchObject({ spec: { ports: [{ port: 1, name: 'a' }, { port: 3 }] } })
  })

  it('scales by the paths of its definition', async () => {
    await using server = await startTestServer()
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' }
    await define(server, definition([version('v1', { subresources: { status: {}, scale } })]))
    const at = { name: 'a', namespace: 'default' }
    await make(server.client, 'a', { replicas: 2 })
    await server.client.patch(
      widget(),
      at,
      { type: 'merge', body: { status: { replicas: 1, selector: 'a=b' } } },
      { subresource: 'status' },
    )
    const scaled = await server.client.patch(widget(), at, { type: 'merge', body: { spec: { replicas: 5 } } }, { subresource: 'scale' })
    expect(scaled).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { replicas: 1, selector: 'a=b' } })
    expect(await server.client.get(widget(), at)).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 5 } })
  })

  it('is selected by its fields, and printed by its columns', async () => {
    await using server = await startTestServer()
    const additionalPrinterColumns = [
      { name: 'Color', type: 'string', jsonPath: '.spec.color' },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ]
    await define(server, definition([version('v1', { additionalPrinterColumns, selectableFields: [{ jsonPath: '.spec.color' }] })]))
    const status = {
      conditions: [
        { type: 'Other', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
    }
    await server.client.create(widget(), { metadata: { name: 'a', namespace: 'default' }, spec: { color: 'red' }, status })
    await make(server.client, 'b', { color: 'blue' })
    const { items } = await server.client.list(widget(), { fieldSelector: 'spec.color=red' })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a'])
    await expect(server.client.list(widget(), { fieldSelector: 'spec.size=3' })).rejects.toThrow('field label not supported: spec.size')
    const table = await json(server.client, '/apis/example.com/v1/widgets', 'application/json;as=Table;v=v1;g=meta.k8s.io')
    expect((table['rows'] as { cells: unknown[] }[]).map(({ cells }) => cells)).toEqual([
      ['a', 'red', 'True', '0s'],
      ['b', 'blue', null, '0s'],
    ])
  })

  it('is updated only as it was seen', async () => {
    await using server = await startTestServer()
    await define(server)
    const made = await make(server.client, 'a', {})
    const { resourceVersion: _version, ...metadata } = made.metadata
    const blind = { ...made, metadata } as Custom
    await expect(server.client.update(widget(), blind)).rejects.toThrow(
      'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    )
    await server.client.update(widget(), { ...made, spec: { color: 'red' } })
    await expect(server.client.update(widget(), { ...made, spec: { color: 'blue' } })).rejects.toMatchObject({ code: 409 })
  })

  it('may be of the cluster', async () => {
    await using server = await startTestServer()
    await define(server, definition([version('v1')], { plural: 'widgets', kind: 'Widget' }, 'Cluster'))
    await server.client.create(widget('v1', false), { metadata: { name: 'a' }, spec: {} })
    expect((await server.client.get(widget('v1', false), { name: 'a' })).metadata.namespace).toBeUndefined()
  })

  it('is there again after a restart', async () => {
    const clock = new FakeClock()
    await using store = createMemoryStore({ clock, random: seededRandom(1) })
    const first = await startTestServer({ store, clock })
    await define(first)
    await make(first.client, 'a', { color: 'red' })
    await first.server[Symbol.asyncDispose]()
    const second = await startTestServer({ store, clock })
    expect(await second.client.get(widget(), { name: 'a', namespace: 'default' })).toMatchObject({ spec: { color: 'red', size: 3 } })
    await second.server[Symbol.asyncDispose]()
  })
})

describe('a definition', () => {
  it('is in discovery and OpenAPI as soon as it is established', async () => {
    await using server = await startTestServer()
    await define(server, definition([version('v1', { subresources: { status: {} } }), version('v2beta1')]))
    const { resources } = (await json(server.client, '/apis/example.com/v1')) as { resources: { name: string; shortNames?: string[] }[] }
    expect(resources.map(({ name, shortNames }) => [name, shortNames])).toEqual([
      ['widgets', ['wd']],
      ['widgets/status', undefined],
    ])
    expect(await json(server.client, '/apis/example.com')).toMatchObject({ preferredVersion: { version: 'v1' } })
    const v3 = await json(server.client, '/openapi/v3/apis/example.com/v1')
    expect(v3).toMatchObject({
      components: { schemas: { 'com.example.v1.Widget': { properties: { spec: { properties: { size: { maximum: 9 } } } } } } },
    })
    const paths = (v3 as { paths: Record<string, { patch?: { requestBody: { content: object } } }> }).paths
    // Where strategic merge is named, `kubectl apply` uses it.
    const patches = Object.values(paths).flatMap(({ patch }) => (patch ? [Object.keys(patch.requestBody.content)] : []))
    expect(patches).toHaveLength(2)
    for (const types of patches)
      expect(types).toEqual(['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'])
    const { definitions } = (await json(server.client, '/openapi/v2')) as { definitions: Record<string, object> }
    expect(definitions['com.example.v2beta1.Widget']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: 'example.com', kind: 'Widget', version: 'v2beta1' }],
    })
  })

  it('waits for a name that is taken until it is free', async () => {
    await using server = await startTestServer()
    const { client } = server
    await define(server)
    const other = definition([version('v1')], { plural: 'others', kind: 'Widget', listKind: 'OtherList' })
    await client.create(customResourceDefinition, other)
    const refused = await until(() => condition(client, 'others.example.com', 'NamesAccepted'))
    expect(refused).toMatchObject({ status: 'False', reason: 'KindConflict', message: '"Widget" is already in use' })
    expect(await condition(client, 'others.example.com', 'Established')).toMatchObject({ status: 'False', reason: 'NotAccepted' })
    await client.delete(customResourceDefinition, { name: 'widgets.example.com' })
    await until(async () => (await condition(client, 'others.example.com', 'Established'))?.status === 'True')
  })

  it('gets no name of a kind that the server has anyway', async () => {
    await using server = await startTestServer()
    const { client } = server
    await client.create(customResourceDefinition, {
      metadata: { name: 'leases.coordination.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
      spec: {
        group: 'coordination.k8s.io',
        scope: 'Namespaced',
        names: { plural: 'leases', kind: 'Rent' },
        versions: [version('v2', { storage: true })],
      },
    })
    const refused = await until(() => condition(client, 'leases.coordination.k8s.io', 'NamesAccepted'))
    expect(refused).toMatchObject({ status: 'False', reason: 'PluralConflict', message: '"leases" is already in use' })
    expect((await client.list(lease)).items).toEqual([])
  })

  it('takes its objects with it, and waits for those that are held', async () => {
    await using server = await startTestServer()
    const { client, clock } = server
    const { metadata } = await define(server)
    await make(client, 'a', {})
    await client.create(widget(), { metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/hold'] }, spec: {} })
    await client.delete(customResourceDefinition, metadata)
    const ending = await until(async () => (await condition(client, metadata.name, 'Terminating'))?.reason === 'InstanceDeletionInProgress')
    expect(ending).toBe(true)
    expect((await client.list(widget())).items.map((one) => one.metadata.name)).toEqual(['held'])
    await expect(make(client, 'new', {})).rejects.toMatchObject({
      code: 405,
      message: 'create not allowed while custom resource definition is terminating',
    })
    await client.patch(widget(), { name: 'held', namespace: 'default' }, { type: 'merge', body: { metadata: { finalizers: null } } })
    await until(async () => {
      await clock.advance(1000)
      return gone(client.get(customResourceDefinition, metadata))
    })
    await until(() => gone(client.list(widget())))
  })
})
