/** CustomResourceDefinition and its objects: serving, schemas, conversion, fieldValidation, OpenAPI. */
import assert from 'node:assert/strict'
import type { JSONSchemaProps } from '../../../electron/api/apiextensions/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import {
  ANYTHING,
  defineCustom,
  definitionDraft,
  established,
  versionOf,
  type Custom,
  type CustomObject,
  type CustomOptions,
} from '../lib/custom-resources.ts'
import { assertDiscovered } from '../lib/discovery.ts'
import { customResourceDefinition } from '../lib/extension-kinds.ts'
import { startHooks, type HookServer } from '../lib/hook-server.ts'
import { getJson, send, type Answer } from '../lib/raw.ts'
import { startWatch } from '../lib/watching.ts'
import { assertHas, mark, uids, untilGone, updateObject } from '../lib/whole-api.ts'

const AGGREGATED = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
const STRING: Draft<JSONSchemaProps> = { type: 'string' }
const object = (properties: Record<string, Draft<JSONSchemaProps>>, more: Draft<JSONSchemaProps> = {}): Draft<JSONSchemaProps> => ({
  type: 'object',
  properties,
  ...more,
})

const create = ({ client, namespace }: BehaviourContext, custom: Custom, name: string, fields: object, version?: string) =>
  client.create(custom.kind(version), { metadata: { name, namespace }, ...fields })

/** One entry of the aggregated discovery, as soon as it has the definition. */
async function aggregated(context: BehaviourContext, { group, plural }: Custom): Promise<void> {
  await eventually(context.signal, 'the definition is in aggregated discovery', async () => {
    const { items } = await getJson<{
      items: { metadata: { name: string }; versions: { version: string; resources: { resource: string }[] }[] }[]
    }>(context.client, '/apis', AGGREGATED)
    const found = items.find(({ metadata }) => metadata.name === group)?.versions.find(({ version }) => version === 'v1')
    return found?.resources.some(({ resource }) => resource === plural)
  })
}

/** Server-side apply or POST, strictly. */
async function strict(context: BehaviourContext, custom: Custom, method: 'PATCH' | 'POST', body: object | string): Promise<Answer> {
  const { client, namespace } = context
  const collection = `/apis/${custom.group}/v1/namespaces/${namespace}/${custom.plural}`
  if (method === 'POST') return send(client, 'POST', `${collection}?fieldValidation=Strict`, body)
  const type = { 'content-type': 'application/apply-patch+yaml' }
  return send(client, 'PATCH', `${collection}/applied?fieldValidation=Strict&fieldManager=test`, body, type)
}

const manifest = ({ definition, group }: Custom, fields: object, metadata: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: definition.spec.names.kind,
  metadata: { name: 'applied', ...metadata },
  ...fields,
})

const PORTS = object({
  spec: object({
    knownField1: STRING,
    cronSpec: { type: 'string', pattern: '^(\\d+|\\*)( (\\d+|\\*)){4}$' },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      items: object(
        { containerPort: { type: 'integer' }, protocol: STRING, hostPort: { type: 'integer' } },
        { required: ['containerPort', 'protocol'] },
      ),
    },
  }),
})

interface OpenApi {
  readonly definitions: Record<string, { 'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[] }>
}

/** Whether the published document has a definition of the kind in a version. */
async function published({ client }: BehaviourContext, { group, definition }: Custom, version: string): Promise<boolean> {
  const { definitions } = await getJson<OpenApi>(client, '/openapi/v2')
  const { kind } = definition.spec.names
  return Object.values(definitions).some((one) =>
    one['x-kubernetes-group-version-kind']?.some((gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind),
  )
}

async function untilPublished(context: BehaviourContext, custom: Custom, version: string, wanted = true): Promise<void> {
  await eventually(
    context.signal,
    `${version} is ${wanted ? '' : 'not '}published`,
    async () => (await published(context, custom, version)) === wanted,
  )
}

const twoVersions = (): CustomOptions => ({
  versions: [versionOf('v1', object({ one: STRING })), versionOf('v2', object({ two: STRING }))],
})

/** What kubectl says, once it knows the definition; its complaint where `code` is not 0. */
async function kubectl(context: BehaviourContext, args: string[], input?: object, code = 0): Promise<string> {
  const result = await context.kubectl(args, input ? { input: JSON.stringify(input) } : {})
  assert.equal(result.code === 0, code === 0, `kubectl ${args.join(' ')}: ${result.out}${result.err}`)
  return result.out + result.err
}

/** kubectl create and apply take these fields. */
async function taken(context: BehaviourContext, custom: Custom, fields: object): Promise<void> {
  for (const verb of ['create', 'apply']) await kubectl(context, [verb, '-f', '-'], manifest(custom, fields, { name: `by-${verb}` }))
  for (const verb of ['create', 'apply']) {
    const stored = await context.client.get(custom.kind(), { name: `by-${verb}`, namespace: context.namespace })
    assertHas(stored, fields)
  }
}

/** v1 has `hostPort: "host:port"`, v2 has both apart. */
const convert = (from: Record<string, unknown>, desired: string) => {
  const to: Record<string, unknown> = { ...from, apiVersion: desired }
  if (desired.endsWith('/v2') && typeof from['hostPort'] === 'string') {
    const [host = '', port = ''] = from['hostPort'].split(':')
    delete to['hostPort']
    return { ...to, host, port }
  }
  if (desired.endsWith('/v1') && 'host' in from) {
    delete to['host']
    delete to['port']
    return { ...to, hostPort: `${String(from['host'])}:${String(from['port'])}` }
  }
  return to
}

const startConversion = (context: BehaviourContext): Promise<HookServer> =>
  startHooks(context, {
    '/convert': ({ objects = [], desiredAPIVersion = '' }) => ({
      convertedObjects: objects.map((one) => convert(one, desiredAPIVersion)),
      result: { status: 'Success' },
    }),
  })

async function converted(context: BehaviourContext, selectable = false): Promise<Custom> {
  const hooks = await startConversion(context)
  const selects = (...names: string[]) => (selectable ? { selectableFields: names.map((name) => ({ jsonPath: `.${name}` })) } : {})
  return defineCustom(context, {
    versions: [
      versionOf('v1', object({ hostPort: STRING }), selects('hostPort')),
      versionOf('v2', object({ host: STRING, port: STRING }), selects('host', 'port')),
    ],
    conversion: {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: hooks.clientConfig('/convert') },
    },
  })
}

/** Stores v2 from now on. */
async function storeV2(context: BehaviourContext, { name }: Custom): Promise<void> {
  await updateObject(context, customResourceDefinition, { name }, ({ spec }) => {
    for (const version of spec.versions) version.storage = version.name === 'v2'
  })
}

const undeclared: Behaviour = async (context) => {
  const custom = await defineCustom(context, { schema: ANYTHING })
  await untilPublished(context, custom, 'v1')
  await taken(context, custom, { a: { b: 'c' }, d: [1, 2] })
  assert.match(await kubectl(context, ['explain', custom.plural]), /KIND:\s+Thing/)
}

export const behaviours: Behaviours = {
  async 'crd-discovery'({ client }) {
    await assertDiscovered(client, customResourceDefinition)
  },

  async 'crd-create-delete'(context) {
    const { client } = context
    const made = await client.create(customResourceDefinition, definitionDraft(context))
    await established(context, made.metadata.name)
    await client.delete(customResourceDefinition, made.metadata)
    await untilGone(context, customResourceDefinition, made.metadata)
  },

  async 'crd-list-deletecollection'(context) {
    const { client, signal } = context
    const { labels, selector } = mark(context)
    const other = await defineCustom(context)
    const made = []
    for (let i = 0; i < 10; i++) made.push(await client.create(customResourceDefinition, definitionDraft(context, { labels })))
    const list = async () => uids((await client.list(customResourceDefinition, { labelSelector: selector })).items)
    assert.deepEqual(new Set(await list()), new Set(uids(made)))
    await client.deleteCollection(customResourceDefinition, { labelSelector: selector })
    await eventually(signal, 'all ten are gone', async () => (await list()).length === 0)
    assert.equal((await client.get(customResourceDefinition, { name: other.name })).metadata.uid, other.definition.metadata.uid)
  },

  async 'crd-status-subresource'(context) {
    const { client } = context
    const { name } = await defineCustom(context)
    const status = { subresource: 'status' }
    const types = async () =>
      ((await client.get(customResourceDefinition, { name }, status)).status.conditions ?? []).map(({ type }) => type)
    const condition = (type: string) => ({ type, status: 'True', reason: 'Conformance', message: 'set by a test' })
    await updateObject(
      context,
      customResourceDefinition,
      { name },
      (one) => void (one.status.conditions = [...(one.status.conditions ?? []), condition('StatusUpdated')]),
      'status',
    )
    assert.ok((await types()).includes('StatusUpdated'))
    const { conditions = [] } = (await client.get(customResourceDefinition, { name })).status
    const body = { status: { conditions: [...conditions, condition('StatusPatched')] } }
    await client.patch(customResourceDefinition, { name }, { type: 'merge', body }, status)
    assert.ok((await types()).includes('StatusPatched'))
  },

  async 'crd-watch'(context) {
    const { client, namespace, signal } = context
    const custom = await defineCustom(context)
    await using watching = await startWatch(client, custom.kind(), { namespace, signal })
    const { metadata } = await create(context, custom, 'watched', { content: '1' })
    await client.patch(custom.kind(), metadata, { type: 'merge', body: { content: '2' } })
    await client.delete(custom.kind(), metadata)
    for (const type of ['ADDED', 'MODIFIED', 'DELETED']) assert.equal((await watching.next()).type, type)
  },

  async 'crd-defaulting'(context) {
    const { client, namespace } = context
    const custom = await defineCustom(context, { schema: object({ a: STRING, b: STRING }) })
    const read = async (name: string) => {
      const { a, b } = await client.get(custom.kind(), { name, namespace })
      return { a, b }
    }
    const setSchema = (schema: Draft<JSONSchemaProps>) =>
      client.patch(
        customResourceDefinition,
        { name: custom.name },
        { type: 'merge', body: { spec: { versions: [versionOf('v1', schema)] } } },
      )
    await create(context, custom, 'old', {})
    await setSchema(object({ a: { ...STRING, default: 'A' }, b: STRING }))
    await eventually(context.signal, 'the old object shows the default', async () => (await read('old')).a === 'A')
    await create(context, custom, 'new', {})
    assert.deepEqual(await read('new'), { a: 'A', b: undefined })
    await setSchema(object({ a: STRING, b: { ...STRING, default: 'B' } }))
    await eventually(
      context.signal,
      'both show the other default',
      async () => (await read('new')).b === 'B' && (await read('old')).b === 'B',
    )
    assert.deepEqual(
      [await read('new'), await read('old')],
      [
        { a: 'A', b: 'B' },
        { a: undefined, b: 'B' },
      ],
    )
  },

  'aggregated-discovery-accept-header-crd': async (context) => aggregated(context, await defineCustom(context)),
  'aggregated-discovery-client-crd': async (context) => aggregated(context, await defineCustom(context)),

  async 'field-validation-cr-no-schema'(context) {
    const custom = await defineCustom(context)
    const answer = await strict(context, custom, 'PATCH', manifest(custom, { spec: { foo: 'a', bar: { b: 1 } } }))
    assert.equal(answer.status, 201, answer.text)
  },

  async 'field-validation-cr-valid'(context) {
    const custom = await defineCustom(context, { schema: PORTS })
    const spec = { knownField1: 'val1', cronSpec: '* * * * 9', ports: [{ containerPort: 8080, protocol: 'TCP', hostPort: 8081 }] }
    const answer = await strict(context, custom, 'PATCH', manifest(custom, { spec }))
    assert.equal(answer.status, 201, answer.text)
    assertHas(answer.json(), { spec })
  },

  async 'field-validation-cr-extra-property'(context) {
    const custom = await defineCustom(context, { schema: PORTS })
    const answer = await strict(context, custom, 'PATCH', manifest(custom, { unknownField: 'x', spec: {} }))
    assert.ok(answer.status >= 400)
    assert.match(answer.text, /\.unknownField: field not declared in schema/)
  },

  async 'field-validation-cr-duplicates'(context) {
    const custom = await defineCustom(context, { schema: ANYTHING })
    const text = JSON.stringify(manifest(custom, { spec: { foo: 1 } })).replace('"foo":1', '"foo":1,"foo":2')
    const answer = await strict(context, custom, 'POST', text)
    assert.equal(answer.status, 400)
    assert.match(answer.json<{ message: string }>().message, /duplicate field "spec\.foo"/)
  },

  async 'field-validation-cr-unknown-metadata'(context) {
    const embedded = object({}, { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true })
    const custom = await defineCustom(context, { schema: object({ spec: object({ template: embedded }) }) })
    const template = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inner', unknownSubMeta: 'x' } }
    const answer = await strict(context, custom, 'POST', manifest(custom, { spec: { template } }, { unknownMeta: 'x' }))
    assert.equal(answer.status, 400)
    const { message } = answer.json<{ message: string }>()
    assert.match(message, /unknown field "metadata\.unknownMeta"/)
    assert.match(message, /unknown field "spec\.template\.metadata\.unknownSubMeta"/)
  },

  async 'crd-openapi-multiple-groups'(context) {
    const [one, other] = [
      await defineCustom(context),
      await defineCustom(context, { versions: [versionOf('v1beta1', ANYTHING, { storage: true })] }),
    ]
    assert.notEqual(one.group, other.group)
    await untilPublished(context, one, 'v1')
    await untilPublished(context, other, 'v1beta1')
  },

  async 'crd-openapi-multiple-kinds'(context) {
    const one = await defineCustom(context)
    const other = await defineCustom(context, { group: one.group })
    for (const custom of [one, other]) await untilPublished(context, custom, 'v1')
  },

  async 'crd-openapi-multiple-versions'(context) {
    const custom = await defineCustom(context, twoVersions())
    for (const version of ['v1', 'v2']) await untilPublished(context, custom, version)
  },

  async 'crd-openapi-unserved-version'(context) {
    const custom = await defineCustom(context, twoVersions())
    for (const version of ['v1', 'v2']) await untilPublished(context, custom, version)
    await updateObject(context, customResourceDefinition, { name: custom.name }, ({ spec }) => {
      for (const version of spec.versions) version.served = version.name === 'v1'
    })
    await untilPublished(context, custom, 'v2', false)
    assert.ok(await published(context, custom, 'v1'))
  },

  async 'crd-openapi-rename-version'(context) {
    const custom = await defineCustom(context, twoVersions())
    for (const version of ['v1', 'v2']) await untilPublished(context, custom, version)
    const body = [{ op: 'replace', path: '/spec/versions/1/name', value: 'v3' }]
    await context.client.patch(customResourceDefinition, { name: custom.name }, { type: 'json', body })
    await untilPublished(context, custom, 'v3')
    await untilPublished(context, custom, 'v2', false)
    assert.ok(await published(context, custom, 'v1'))
  },

  'crd-openapi-preserve-unknown-root': undeclared,

  async 'crd-openapi-no-schema'(context) {
    const custom = await defineCustom(context, { schema: ANYTHING })
    await untilPublished(context, custom, 'v1')
    await taken(context, custom, { anything: { at: 'all' } })
    assert.match(await kubectl(context, ['explain', custom.plural]), /DESCRIPTION:\n\s+\S+/)
  },

  async 'crd-openapi-preserve-unknown-embedded'(context) {
    const description = 'Preserves unknown content.'
    const custom = await defineCustom(context, { schema: object({ spec: { ...ANYTHING, description } }) })
    await untilPublished(context, custom, 'v1')
    await taken(context, custom, { spec: { a: { b: 'c' } } })
    const said = await kubectl(context, ['explain', `${custom.plural}.spec`])
    assert.ok(said.includes(description), said)
  },

  async 'crd-openapi-validation-schema'(context) {
    const bars = {
      type: 'array',
      description: 'List of Bars and their specs.',
      items: object({ name: STRING, age: { type: 'integer' } }, { required: ['name'] }),
    }
    const custom = await defineCustom(context, {
      schema: object({ spec: object({ bars }, { description: 'Specification of Foo' }) }, { description: 'Foo CRD for testing' }),
    })
    await untilPublished(context, custom, 'v1')
    await taken(context, custom, { spec: { bars: [{ name: 'one', age: 10 }] } })
    for (const verb of ['create', 'apply']) {
      const spec = (bar: object) => manifest(custom, { spec: { bars: [bar] } }, { name: `refused-${verb}` })
      await kubectl(context, [verb, '-f', '-'], spec({ name: 'one', surplus: 'x' }), 1)
      await kubectl(context, [verb, '-f', '-'], spec({ age: 10 }), 1)
    }
    assert.match(await kubectl(context, ['explain', custom.plural]), /DESCRIPTION:\n\s+Foo CRD for testing/)
    assert.match(await kubectl(context, ['explain', `${custom.plural}.spec.bars`]), /List of Bars and their specs\./)
  },

  async 'crd-conversion-v1-to-v2'(context) {
    const { client, namespace } = context
    const custom = await converted(context)
    const { metadata } = await create(context, custom, 'one', { hostPort: 'localhost:8080' })
    const read = await client.get(custom.kind('v2'), { name: 'one', namespace })
    assertHas(read, { apiVersion: `${custom.group}/v2`, host: 'localhost', port: '8080' })
    assert.deepEqual([read.metadata.uid, read.metadata.name, 'hostPort' in read], [metadata.uid, 'one', false])
  },

  async 'crd-conversion-mixed-version-list'(context) {
    const { client, namespace } = context
    const custom = await converted(context)
    await create(context, custom, 'one', { hostPort: 'localhost:8080' })
    await storeV2(context, custom)
    await create(context, custom, 'two', { hostPort: 'localhost:8081' })
    const { items } = await client.list(custom.kind('v2'), { namespace })
    const shown = items.map(({ apiVersion, metadata, host, port }) => [apiVersion, metadata.name, host, port])
    assert.deepEqual(shown, [
      [`${custom.group}/v2`, 'one', 'localhost', '8080'],
      [`${custom.group}/v2`, 'two', 'localhost', '8081'],
    ])
  },

  async 'crd-selectable-fields'(context) {
    const { client, namespace, signal } = context
    const custom = await converted(context, true)
    const [v1, v2] = [custom.kind('v1'), custom.kind('v2')]
    const inV1 = { namespace, fieldSelector: 'hostPort=host1:80' }
    const inV2 = { namespace, fieldSelector: 'host=host1' }
    await using ofV1 = await startWatch<CustomObject>(client, v1, { ...inV1, signal })
    await using ofV2 = await startWatch<CustomObject>(client, v2, { ...inV2, signal })
    for (const [name, hostPort] of Object.entries({ a: 'host1:80', b: 'host1:8080', c: 'host2:80' }))
      await create(context, custom, name, { hostPort })
    const names = async (kind: typeof v1, options: typeof inV1) =>
      (await client.list(kind, options)).items.map(({ metadata }) => metadata.name)
    assert.deepEqual([await names(v1, inV1), await names(v2, inV2)], [['a'], ['a', 'b']])
    assert.deepEqual(await names(v2, { namespace, fieldSelector: 'host=host1,port=80' }), ['a'])
    await ofV1.until('ADDED', ({ metadata }) => metadata.name === 'a')
    for (const name of ['a', 'b']) await ofV2.until('ADDED', ({ metadata }) => metadata.name === name)

    await client.patch(v1, { name: 'a', namespace }, { type: 'merge', body: { hostPort: 'host2:80' } })
    for (const watching of [ofV1, ofV2]) assert.equal((await watching.until('DELETED')).metadata.name, 'a')
    await client.delete(v1, { name: 'b', namespace })
    assert.equal((await ofV2.until('DELETED')).metadata.name, 'b')
    assert.deepEqual([await ofV1.rest(500), await ofV2.rest(0)], [[], []])
  },
}
