import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KINDS, node as nodeKind, pod as podKind } from '../../api/kinds.gen.ts'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import type { Client, RawRequest } from '../../client/client.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { METRICS_KINDS, type NodeMetrics, type PodMetrics } from './kinds.ts'
import { metricsReaders } from './metrics-api.ts'

let test: TestServer
let asked: string[]
/** Nodes whose agents have not been asked for long: their first answer has no speeds. */
let cold: Set<string>
let silent: Set<string>
const TIME = '2026-01-01T00:00:00Z'

const measured = (nanoCores: number | undefined, workingSetBytes: number) => ({
  cpu: { time: TIME, ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }) },
  memory: { workingSetBytes },
})

async function agent({ path }: RawRequest) {
  const node = /^\/api\/v1\/nodes\/(.*)\/proxy\/stats\/summary$/.exec(path)?.[1] ?? ''
  asked.push(node)
  const isCold = cold.delete(node)
  const pods = await test.client.list(podKind)
  const summary = {
    node: measured(isCold ? undefined : 250_000_000, 3 * 1024 * 1024),
    pods: pods.items
      .filter(({ spec }) => spec.nodeName === node)
      .map(({ metadata }) => ({
        podRef: metadata,
        containers: [{ name: 'app', ...measured(1_500_000, 2048) }],
      })),
  }
  return {
    status: silent.has(node) ? 503 : 200,
    headers: {},
    body: Object.assign(ReadableStream.from([Buffer.from(JSON.stringify(summary))]), { [Symbol.asyncDispose]: async () => undefined }),
  }
}

const get = async (path: string) => {
  const { status, body } = await test.client.request({
    method: 'GET',
    path: path.split('?')[0] ?? '',
    query: Object.fromEntries(new URLSearchParams(path.split('?')[1])),
  })
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return { status, body: JSON.parse(Buffer.concat(parts).toString()) as { items: unknown[]; message?: string } & Record<string, unknown> }
}
const addPod = async (name: string, nodeName: string) => {
  const at = { name, namespace: 'default' }
  await test.client.create(podKind, {
    metadata: { ...at, labels: { app: name } },
    spec: { nodeName, containers: [{ name: 'app', image: 'i' }] },
  })
  await test.client.patch(podKind, at, { type: 'merge', body: { status: { phase: 'Running' } } }, { subresource: 'status' })
}

beforeEach(async () => {
  asked = []
  cold = new Set()
  silent = new Set()
  const clock = new FakeClock()
  const client = {
    get: (...args: Parameters<Client['get']>) => test.client.get(...args),
    list: (...args: Parameters<Client['list']>) => test.client.list(...args),
    request: agent,
  } as unknown as Client
  test = await startTestServer({ clock, kinds: [...KINDS, ...METRICS_KINDS], readers: metricsReaders(client, clock) })
  for (const name of ['a', 'b']) await test.client.create(nodeKind, { metadata: { name, labels: { of: name } } })
  await addPod('web', 'a')
  await addPod('db', 'b')
})
afterEach(() => test.stop())

const BASE = '/apis/metrics.k8s.io/v1beta1'

describe('metrics.k8s.io', () => {
  it('is found by discovery, with what may be done', async () => {
    const { body } = await get(BASE)
    expect(body).toMatchObject({
      groupVersion: 'metrics.k8s.io/v1beta1',
      resources: [
        { name: 'nodes', kind: 'NodeMetrics', namespaced: false, verbs: ['get', 'list'] },
        { name: 'pods', kind: 'PodMetrics', namespaced: true, verbs: ['get', 'list'] },
      ],
    })
    expect((await get('/openapi/v3/apis/metrics.k8s.io/v1beta1')).status).toBe(200)
  })

  it('tells what nodes use, and asks each agent once at a time', async () => {
    const [list] = await Promise.all([get(`${BASE}/nodes`), get(`${BASE}/nodes`)])
    const items = list.body.items as NodeMetrics[]
    expect(items.map(({ metadata, usage, kind }) => [kind, metadata.name, usage])).toEqual([
      ['NodeMetrics', 'a', { cpu: '250000000n', memory: '3072Ki' }],
      ['NodeMetrics', 'b', { cpu: '250000000n', memory: '3072Ki' }],
    ])
    expect(asked.sort((a, b) => a.localeCompare(b))).toEqual(['a', 'b'])
    await test.clock.advance(11_000)
    expect((await get(`${BASE}/nodes/a`)).body).toMatchObject({ metadata: { name: 'a' }, timestamp: TIME, window: '10s' })
    expect(asked).toHaveLength(3)
  })

  it('tells what the containers of pods use, by namespace and labels', async () => {
    expect((await get(`${BASE}/namespaces/default/pods/web`)).body).toMatchObject({
      kind: 'PodMetrics',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      containers: [{ name: 'app', usage: { cpu: '1500000n', memory: '2Ki' } }],
    })
    const names = async (path: string) => ((await get(path)).body.items as PodMetrics[]).map(({ metadata }) => metadata.name)
    expect(await names(`${BASE}/pods`)).toEqual(['db', 'web'])
    expect(await names(`${BASE}/namespaces/default/pods?labelSelector=app=db`)).toEqual(['db'])
    expect(await names(`${BASE}/namespaces/other/pods`)).toEqual([])
  })

  it('measures again where an agent has no speed yet', async () => {
    cold.add('a')
    const answer = get(`${BASE}/nodes/a`)
    await settle()
    await test.clock.advance(1100)
    expect((await answer).body).toMatchObject({ usage: { cpu: '250000000n' } })
    expect(asked).toEqual(['a', 'a'])
  })

  it('leaves out what no agent tells of', async () => {
    silent.add('a')
    expect(((await get(`${BASE}/nodes`)).body.items as NodeMetrics[]).map(({ metadata }) => metadata.name)).toEqual(['b'])
    expect(await get(`${BASE}/nodes/a`)).toMatchObject({ status: 404, body: { message: 'nodemetrics.metrics.k8s.io "a" not found' } })
    expect(await get(`${BASE}/namespaces/default/pods/none`)).toMatchObject({
      status: 404,
      body: { message: 'pods "none" not found' },
    })
  })

  it('can only be read', async () => {
    const { status } = await test.client.request({ method: 'POST', path: `${BASE}/nodes`, body: '{}' })
    expect(status).toBe(405)
  })
})
