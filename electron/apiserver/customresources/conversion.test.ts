import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { customResourceDefinition } from '../../api/apiextensions/v1/custom-resource-definition.ts'
import { mutatingWebhookConfiguration } from '../../api/admissionregistration/v1/mutating-webhook-configuration.ts'
import type { CustomResourceDefinition } from '../../api/apiextensions/v1/types.gen.ts'
import { defineKind, type Kind } from '../../api/kind.ts'
import type { Draft, KubeObject } from '../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { startHookServer, type Answer, type HookServer } from '../webhooks/testing/hook-server.ts'

interface Host extends KubeObject {
  hostPort?: string
  host?: string
  port?: string
}

interface Request {
  uid: string
  desiredAPIVersion: string
  objects: Host[]
}

const kind = (version: string): Kind<Host> =>
  defineKind<Host>({ group: 'example.com', version, kind: 'Host', resource: 'hosts', namespaced: true, model: '' })
const [v1, v2] = [kind('v1'), kind('v2')]

const text = { type: 'string' }
const metadata = { type: 'object' }

function definition(hooks: HookServer, storage = 'v1'): Draft<CustomResourceDefinition> {
  const version = (name: string, properties: object, selectableFields: { jsonPath: string }[]) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { metadata, ...properties } } },
    selectableFields,
  })
  return {
    metadata: { name: 'hosts.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'hosts', kind: 'Host' },
      versions: [
        version('v1', { hostPort: text }, [{ jsonPath: '.hostPort' }]),
        version('v2', { host: text, port: text }, [{ jsonPath: '.host' }, { jsonPath: '.port' }]),
      ],
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: { url: hooks.url('/convert'), caBundle: hooks.caBundle }, conversionReviewVersions: ['v1'] },
      },
    },
  }
}

function convertOne({ hostPort = '', host = '', port = '', ...rest }: Host, apiVersion: string): Host {
  if (apiVersion.endsWith('v1')) return { ...rest, apiVersion, hostPort: `${host}:${port}` }
  const [name = '', number = ''] = hostPort.split(':')
  return { ...rest, apiVersion, host: name, port: number }
}

const review = (response: object) => ({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response })

const converter: Answer = ({ body }) => {
  const { uid, objects, desiredAPIVersion } = (body as { request: Request }).request
  return review({ uid, result: { status: 'Success' }, convertedObjects: objects.map((one) => convertOne(one, desiredAPIVersion)) })
}

async function define(server: TestServer, draft: Draft<CustomResourceDefinition>): Promise<void> {
  await server.client.create(customResourceDefinition, draft)
  for (;;) {
    const { status } = await server.client.get(customResourceDefinition, { name: 'hosts.example.com' })
    if (status.conditions?.some((one) => one.type === 'Established' && one.status === 'True')) return
    await sleep(2)
  }
}

const at = (name: string) => ({ name, namespace: 'default' })

describe('versions that a webhook converts', () => {
  it('show the same objects, each in its own shape', async () => {
    await using hooks = await startHookServer(converter)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    const made = await server.client.create(v1, { metadata: { ...at('a'), labels: { app: 'x' } }, hostPort: 'one:80' })
    const seen = await server.client.get(v2, at('a'))
    expect(seen).toEqual({ ...made, apiVersion: 'example.com/v2', hostPort: undefined, host: 'one', port: '80', metadata: made.metadata })
    await server.client.create(v2, { metadata: at('b'), host: 'two', port: '90' })
    expect(await server.client.get(v1, at('b'))).toMatchObject({ apiVersion: 'example.com/v1', hostPort: 'two:90' })
    await server.client.patch(v2, at('a'), { type: 'merge', body: { port: '81' } })
    expect((await server.client.get(v1, at('a'))).hostPort).toBe('one:81')
    const { items } = await server.client.list(v2, { namespace: 'default' })
    expect(items.map(({ host, port }) => `${host}/${port}`)).toEqual(['one/81', 'two/90'])
  })

  it('ask for all objects of a list at once, and for none twice', async () => {
    await using hooks = await startHookServer(converter)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    for (const name of ['a', 'b', 'c']) await server.client.create(v1, { metadata: at(name), hostPort: `${name}:1` })
    expect(hooks.asked).toHaveLength(0)
    await server.client.list(v2, { namespace: 'default' })
    await server.client.list(v2, { namespace: 'default' })
    expect(hooks.asked.map(({ body }) => (body as { request: Request }).request.objects.length)).toEqual([3])
    expect(hooks.asked[0]?.body).toMatchObject({
      kind: 'ConversionReview',
      apiVersion: 'apiextensions.k8s.io/v1',
      request: { desiredAPIVersion: 'example.com/v2', objects: [{ kind: 'Host', apiVersion: 'example.com/v1', hostPort: 'a:1' }, {}, {}] },
    })
  })

  it('keep showing what was stored in another version', async () => {
    await using hooks = await startHookServer(converter)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    await server.client.create(v1, { metadata: at('a'), hostPort: 'one:80' })
    const { spec } = definition(hooks, 'v2')
    await server.client.patch(
      customResourceDefinition,
      { name: 'hosts.example.com' },
      { type: 'merge', body: { spec: { versions: spec?.versions } } },
    )
    for (;;) {
      const { status } = await server.client.get(customResourceDefinition, { name: 'hosts.example.com' })
      if (status.storedVersions?.includes('v2')) break
      await sleep(2)
    }
    await server.client.create(v2, { metadata: at('b'), host: 'two', port: '90' })
    const shown = await server.client.list(v2, { namespace: 'default' })
    expect(shown.items.map(({ apiVersion, host, port }) => [apiVersion, host, port])).toEqual([
      ['example.com/v2', 'one', '80'],
      ['example.com/v2', 'two', '90'],
    ])
    expect((await server.client.list(v1, { namespace: 'default' })).items.map(({ hostPort }) => hostPort)).toEqual(['one:80', 'two:90'])
  })

  it('select by fields of their own, in lists and watches', async () => {
    await using hooks = await startHookServer(converter)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    await server.client.create(v1, { metadata: at('a'), hostPort: 'one:80' })
    await server.client.create(v1, { metadata: at('b'), hostPort: 'two:80' })
    const { items, metadata: list } = await server.client.list(v2, { namespace: 'default', fieldSelector: 'host=one' })
    expect(items.map((one) => one.metadata.name)).toEqual(['a'])
    const stop = new AbortController()
    const events: string[] = []
    const options = { namespace: 'default', fieldSelector: 'host=one', resourceVersion: list.resourceVersion ?? '', signal: stop.signal }
    const watching = (async () => {
      for await (const { type, object } of server.client.watch(v2, options)) {
        events.push(`${type} ${object.metadata.name} ${object.host}`)
        if (events.length === 4) return
      }
    })()
    const move = (name: string, hostPort: string) => server.client.patch(v1, at(name), { type: 'merge', body: { hostPort } })
    await move('b', 'three:80')
    await move('b', 'one:90')
    await move('b', 'one:91')
    await move('b', 'four:91')
    await server.client.delete(v1, at('a'))
    await watching
    stop.abort()
    expect(events).toEqual(['ADDED b one', 'MODIFIED b one', 'DELETED b one', 'DELETED a one'])
  })

  it.each<[string, Answer, string]>([
    ['does not answer', () => ({ status: 503, text: '' }), 'failed: '],
    [
      'refuses',
      ({ body }) => review({ uid: (body as { request: Request }).request.uid, result: { status: 'Failed', message: 'not today' } }),
      'failed: not today',
    ],
    ['answers another review', () => review({ uid: 'x', result: { status: 'Success' } }), 'failed: expected response.uid='],
    [
      'answers too little',
      ({ body }) => review({ uid: (body as { request: Request }).request.uid, result: { status: 'Success' }, convertedObjects: [] }),
      'returned 0 objects, expected 1',
    ],
    [
      'changes names',
      ({ body }) => {
        const { uid, objects, desiredAPIVersion: apiVersion } = (body as { request: Request }).request
        const renamed = objects.map((one) => ({ ...one, apiVersion, metadata: { ...one.metadata, name: 'z' } }))
        return review({ uid, result: { status: 'Success' }, convertedObjects: renamed })
      },
      'returned invalid converted object at index 0: must have the same name: a != z',
    ],
  ])('fail by name if the webhook %s', async (_what, answer, message) => {
    await using hooks = await startHookServer(answer)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    await server.client.create(v1, { metadata: at('a'), hostPort: 'one:80' })
    await expect(server.client.get(v2, at('a'))).rejects.toMatchObject({
      code: 500,
      message: expect.stringContaining(`conversion webhook for example.com/v1, Kind=Host ${message}`) as string,
    })
    expect((await server.client.get(v1, at('a'))).hostPort).toBe('one:80')
  })

  it('may change labels and annotations, and nothing else of the metadata', async () => {
    const labelling: Answer = ({ body }) => {
      const { uid, objects, desiredAPIVersion } = (body as { request: Request }).request
      const changed = objects.map((one) => {
        const converted = convertOne(one, desiredAPIVersion)
        return { ...converted, metadata: { ...converted.metadata, labels: { by: 'hook' }, finalizers: ['example.com/x'], generation: 9 } }
      })
      return review({ uid, result: { status: 'Success' }, convertedObjects: changed })
    }
    await using hooks = await startHookServer(labelling)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    await server.client.create(v1, { metadata: { ...at('a'), labels: { a: 'b' } }, hostPort: 'one:80' })
    const { metadata: meta } = await server.client.get(v2, at('a'))
    expect(meta).toMatchObject({ labels: { by: 'hook' }, generation: 1 })
    expect(meta.finalizers).toBeUndefined()
  })
})

describe('an admission webhook for one version', () => {
  it('sees and changes objects of another as the conversion makes them', async () => {
    const answer: Answer = (asked) => {
      if (asked.path === '/convert') return converter(asked)
      const { uid, object } = (asked.body as { request: { uid: string; object: Host } }).request
      const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/port', value: `${object.port}1` }])).toString('base64')
      const response = { uid, allowed: true, patchType: 'JSONPatch', patch }
      return { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response }
    }
    await using hooks = await startHookServer(answer)
    await using server = await startTestServer()
    await define(server, definition(hooks))
    await server.client.create(mutatingWebhookConfiguration, {
      metadata: { name: 'ports' },
      webhooks: [
        {
          name: 'ports.example.com',
          clientConfig: { url: hooks.url('/mutate'), caBundle: hooks.caBundle },
          rules: [{ apiGroups: ['example.com'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['hosts'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    })
    const made = await server.client.create(v1, { metadata: at('a'), hostPort: 'one:8' })
    expect(made).toMatchObject({ apiVersion: 'example.com/v1', hostPort: 'one:81' })
  })
})

describe('the authorities of who converts', () => {
  it('must be certificates', async () => {
    await using hooks = await startHookServer(converter)
    await using server = await startTestServer()
    const name = 'hosts.example.com'
    const conversion = (caBundle: string) => {
      const clientConfig = { url: hooks.url('/convert'), caBundle }
      return { conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } } }
    }
    const refused = `spec.conversion.webhookClientConfig.caBundle: Invalid value: "Cg==": unable to load root certificates: unable to parse bytes as PEM block`
    const draft = definition(hooks)
    const wrong = { ...draft, spec: { ...draft.spec, ...conversion('Cg==') } } as Draft<CustomResourceDefinition>
    await expect(server.client.create(customResourceDefinition, wrong)).rejects.toThrow(refused)
    await define(server, draft)
    const patch = (caBundle: string) =>
      server.client.patch(customResourceDefinition, { name }, { type: 'merge', body: { spec: conversion(caBundle) } })
    await expect(patch('Cg==')).rejects.toThrow(refused)
    const twice = Buffer.from(`${Buffer.from(hooks.caBundle, 'base64').toString()}\n`.repeat(2)).toString('base64')
    await patch(twice)
  })
})
