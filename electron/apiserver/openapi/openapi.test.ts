import { beforeEach, describe, expect, it } from 'vitest'
import { deployment } from '../../api/apps/v1/deployment.ts'
import { namespace } from '../../api/core/v1/namespace.ts'
import { pod } from '../../api/core/v1/pod.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import { KINDS } from '../../api/kinds.gen.ts'
import { defineKind, type AnyKind } from '../../api/kind.ts'
import type { FactSchema } from '../../api/schema/facts.ts'
import type { ApiRequest, ApiResponse, RequestHandler } from '../types.ts'
import type { JsonSchema } from './models.ts'
import { createOpenApi } from './openapi.ts'

let kinds: AnyKind[]
let openapi: RequestHandler
beforeEach(() => {
  kinds = [pod, namespace, serviceAccount, deployment]
  openapi = createOpenApi({ kinds: () => kinds, customModel: (name) => CUSTOM[name], descriptions: DESCRIPTIONS, version: 'v1.36.0' })
})

const DESCRIPTIONS = {
  'io.k8s.api.core.v1.Pod': { '': 'A pod.', kind: 'The kind.' },
  'io.k8s.api.core.v1.PodSpec': { '': 'What a pod should be.', nodeName: 'Where it is.' },
}
const CUSTOM: Record<string, FactSchema> = {
  'com.example.v1.Widget': { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
}
const widget = defineKind({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  namespaced: true,
  model: 'com.example.v1.Widget',
})

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<ApiResponse> {
  const { pathname, searchParams } = new URL(url, 'http://x')
  return openapi({
    method,
    path: pathname,
    query: searchParams,
    headers,
    body: async () => Buffer.alloc(0),
    user: { name: 'x', groups: [] },
    signal: new AbortController().signal,
  } satisfies ApiRequest)
}
const json = (answer: ApiResponse) => JSON.parse(Buffer.from(answer.body as Uint8Array).toString()) as JsonSchema
interface V3 {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string
        parameters?: { name: string }[]
        requestBody?: { content: object }
        'x-kubernetes-action': string
        'x-kubernetes-group-version-kind': object
      }
    >
  >
  components: { schemas: Record<string, JsonSchema> }
}
const v3 = async (name: string) => json(await get(`/openapi/v3/${name}`)) as unknown as V3

function references(value: unknown, found: string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') found.push(inner)
    else references(inner, found)
  }
  return found
}

describe('/openapi/v3', () => {
  it('lists a document per group version under a URL that changes with its content', async () => {
    const { paths } = json(await get('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> }
    expect(Object.keys(paths)).toEqual(['api/v1', 'apis/apps/v1'])
    const url = String(paths['apis/apps/v1']?.serverRelativeURL)
    expect(url).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/)
    const answer = await get(url)
    expect(answer.headers['cache-control']).toContain('immutable')
    expect((await get('/openapi/v3/apis/apps/v1')).headers['cache-control']).toBeUndefined()
    expect(await get('/openapi/v3/apis/apps/v1?hash=OLD')).toMatchObject({ status: 301, headers: { location: url } })
    expect(await get(url, { 'if-none-match': String(answer.headers['etag']) })).toMatchObject({ status: 304 })
    await expect(get('/openapi/v3/apis/nothing/v1')).rejects.toMatchObject({ code: 404 })
  })

  it('has every path with its action, its kind and the parameters that kubectl looks for', async () => {
    const { paths } = await v3('api/v1')
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/namespaces/{namespace}/pods',
        '/api/v1/pods',
        '/api/v1/namespaces/{name}',
        '/api/v1/namespaces/{namespace}/pods/{name}/log',
        '/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token',
      ]),
    )
    const patch = paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['patch']
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: '', kind: 'Pod', version: 'v1' })
    expect(patch?.parameters?.map(({ name }) => name)).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force'])
    expect(Object.keys(patch?.requestBody?.content ?? {})).toContain('application/apply-patch+yaml')
    const ids = Object.values(paths).flatMap(({ parameters: _parameters, ...operations }) =>
      Object.values(operations).map((operation) => operation.operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(
      expect.arrayContaining([
        'listCoreV1NamespacedPod',
        'listCoreV1PodForAllNamespaces',
        'readCoreV1NamespacedPodStatus',
        'connectCoreV1GetNamespacedPodExec',
        'readCoreV1NamespacedPodLog',
        'deleteCoreV1CollectionNamespacedPod',
        'createCoreV1NamespacedServiceAccountToken',
      ]),
    )
    expect(paths['/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token']?.['post']?.['x-kubernetes-group-version-kind']).toEqual({
      group: 'authentication.k8s.io',
      kind: 'TokenRequest',
      version: 'v1',
    })
    expect(paths['/api/v1/namespaces/{namespace}/pods/{name}/exec']?.['get']?.['x-kubernetes-action']).toBe('connect')
  })

  it('refers to nothing that is not there, for any built-in kind', async () => {
    openapi = createOpenApi({ kinds: () => KINDS, version: 'v1.36.0' })
    const { paths } = json(await get('/openapi/v3')) as { paths: Record<string, object> }
    for (const name of Object.keys(paths)) {
      const document = await v3(name)
      const missing = references(document).filter((ref) => !document.components.schemas[ref.replace('#/components/schemas/', '')])
      expect(missing, name).toEqual([])
    }
  })

  it('holds every model that it refers to, with kinds and descriptions', async () => {
    for (const name of ['api/v1', 'apis/apps/v1']) {
      const document = await v3(name)
      const missing = references(document).filter((ref) => !document.components.schemas[ref.replace('#/components/schemas/', '')])
      expect(missing).toEqual([])
    }
    const { schemas } = (await v3('api/v1')).components
    expect(schemas['io.k8s.api.core.v1.Pod']).toMatchObject({
      description: 'A pod.',
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Pod', version: 'v1' }],
      properties: {
        kind: { type: 'string', description: 'The kind.' },
        spec: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSpec' }], description: 'What a pod should be.' },
      },
    })
    expect(schemas['io.k8s.api.core.v1.PodList']?.['x-kubernetes-group-version-kind']).toEqual([
      { group: '', kind: 'PodList', version: 'v1' },
    ])
    expect(JSON.stringify(schemas)).not.toContain('x-kubernetes-v2-schema')
  })

  it('follows kinds that come and go, and keeps the documents of the others', async () => {
    const before = await get('/openapi/v3/apis/apps/v1')
    kinds = [...kinds, widget]
    const document = await v3('apis/example.com/v1')
    expect(document.components.schemas['com.example.v1.Widget']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: 'example.com', kind: 'Widget', version: 'v1' }],
    })
    expect(document.paths['/apis/example.com/v1/namespaces/{namespace}/widgets']?.['get']?.operationId).toBe(
      'listExampleV1NamespacedWidget',
    )
    expect(document.components.schemas['com.example.v1.WidgetList']).toMatchObject({
      properties: { items: { items: { $ref: '#/components/schemas/com.example.v1.Widget' } } },
      'x-kubernetes-group-version-kind': [{ group: 'example.com', kind: 'WidgetList', version: 'v1' }],
    })
    expect((await get('/openapi/v3/apis/apps/v1')).body).toBe(before.body)
    kinds = kinds.slice(0, -1)
    await expect(get('/openapi/v3/apis/example.com/v1')).rejects.toMatchObject({ code: 404 })
  })
})

/** Fields of a protobuf message by number: texts and messages as bytes, varints as numbers. */
function fields(bytes: Buffer): Map<number, (Buffer | number)[]> {
  const out = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const length = varint()
    const value = tag % 8 === 2 ? bytes.subarray(at, (at += length)) : length
    out.set(Math.floor(tag / 8), [...(out.get(Math.floor(tag / 8)) ?? []), value])
  }
  expect(at).toBe(bytes.length)
  return out
}

describe('/openapi/v2', () => {
  const PROTO = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

  it('is one document of all groups, each reference leading somewhere', async () => {
    const document = json(await get('/openapi/v2')) as {
      swagger: string
      paths: Record<string, object>
      definitions: Record<string, JsonSchema>
    }
    expect(document.swagger).toBe('2.0')
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/apis/apps/v1/deployments', '/api/v1/namespaces']))
    const missing = references(document).filter((ref) => !document.definitions[ref.replace('#/definitions/', '')])
    expect(missing).toEqual([])
    expect(document.definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString']).toMatchObject({
      type: 'string',
      format: 'int-or-string',
    })
    expect(JSON.stringify(document.definitions)).not.toContain('"oneOf"')
  })

  it('is the same as protobuf', async () => {
    const answer = await get('/openapi/v2', { accept: `${PROTO}, application/json;q=0.5` })
    expect(answer.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
    const document = json(await get('/openapi/v2')) as { paths: Record<string, object>; definitions: Record<string, JsonSchema> }
    const root = fields(Buffer.from(answer.body as Uint8Array))
    const only = (from: Map<number, (Buffer | number)[]>, field: number) => fields(from.get(field)?.[0] as Buffer)
    const names = (from: (Buffer | number)[] | undefined) => (from ?? []).map((one) => String(fields(one as Buffer).get(1)?.[0]))
    expect(String(root.get(1)?.[0])).toBe('2.0')
    expect(names(only(root, 8).get(2))).toEqual(Object.keys(document.paths))
    const definitions = only(root, 9).get(1) ?? []
    expect(names(definitions)).toEqual(Object.keys(document.definitions))
    const podSchema = definitions.map((one) => fields(one as Buffer)).find((one) => String(one.get(1)?.[0]) === 'io.k8s.api.core.v1.Pod')
    const schema = only(podSchema ?? new Map<number, (Buffer | number)[]>(), 2)
    expect(String(schema.get(4)?.[0])).toBe('A pod.')
    expect(names(only(schema, 25).get(1))).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status'])
    const extension = fields(schema.get(31)?.[0] as Buffer)
    expect(String(extension.get(1)?.[0])).toBe('x-kubernetes-group-version-kind')
    expect(String(only(extension, 2).get(2)?.[0])).toBe('[{"group":"","kind":"Pod","version":"v1"}]\n')
  })

  it('is refused in other forms and by other methods', async () => {
    await expect(get('/openapi/v2', { accept: 'text/html' })).rejects.toMatchObject({ code: 406 })
    await expect(get('/openapi/v2', {}, 'POST')).rejects.toMatchObject({ code: 405 })
  })
})
