import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { buildGraph, connected, usedBy, type GraphOptions } from './graph.ts'

const object = (kind: string, name: string, more: Record<string, unknown> = {}, owner?: string): KubeObject => {
  const [ownerKind, ownerName] = owner?.split('/') ?? []
  const { labels, ...rest } = more
  const ownerReferences = owner ? [{ apiVersion: 'v1', kind: ownerKind, name: ownerName, uid: owner, controller: true }] : undefined
  const metadata = { name, uid: `${kind}-${name}`, ...(kind === 'Node' ? {} : { namespace: 'shop' }), labels, ownerReferences }
  return { apiVersion: 'v1', kind, metadata, ...rest } as unknown as KubeObject
}
const pod = (name: string, owner: string | undefined, spec: Record<string, unknown> = {}) =>
  object('Pod', name, { labels: { app: 'web', tier: 'front' }, spec: { containers: [{ name: 'app' }], nodeName: 'moth', ...spec } }, owner)

const OPTIONS: GraphOptions = { view: 'flow', config: true, machines: true, unfolded: new Set() }
const edgesOf = (objects: readonly KubeObject[], options: Partial<GraphOptions> = {}) =>
  buildGraph(objects, { ...OPTIONS, ...options }).edges.map(({ from, to, relation }) => `${from} ${relation} ${to}`)

const WEB = [
  object('Ingress', 'web', {
    spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }], tls: [{ secretName: 'tls' }] },
  }),
  object('Service', 'web', { spec: { selector: { app: 'web', tier: 'front' } } }),
  object('Deployment', 'web'),
  object('ReplicaSet', 'web-1', {}, 'Deployment/web'),
  object('Secret', 'tls'),
  object('Node', 'moth'),
  pod('web-1-a', 'ReplicaSet/web-1'),
  pod('web-1-b', 'ReplicaSet/web-1'),
]

describe('buildGraph', () => {
  it('leads from the Ingress through Service and Deployment to the pods, as one tile, and their machine', () => {
    expect(edgesOf(WEB)).toEqual([
      'Deployment/shop/web owns pods:Deployment/shop/web',
      'Ingress/shop/web routes Service/shop/web',
      'Ingress/shop/web uses Secret/shop/tls',
      'Service/shop/web selects Deployment/shop/web',
      'pods:Deployment/shop/web runs Node//moth',
    ])
  })

  it('shows the pods of an owner one by one where that was asked for', () => {
    const { nodes, edges } = buildGraph(WEB, { ...OPTIONS, unfolded: new Set(['pods:Deployment/shop/web']) })
    expect([...nodes.keys()]).toContain('Pod/shop/web-1-b')
    expect(edges.filter(({ relation }) => relation === 'owns').map(({ to }) => to)).toEqual(['Pod/shop/web-1-a', 'Pod/shop/web-1-b'])
  })

  it('shows owners link by link', () => {
    expect(edgesOf(WEB, { view: 'owners', machines: false, config: false })).toEqual([
      'ReplicaSet/shop/web-1 owns pods:ReplicaSet/shop/web-1',
      'Deployment/shop/web owns ReplicaSet/shop/web-1',
    ])
  })

  it('leads from a Service to a pod that nothing made, and asks for all labels', () => {
    const service = object('Service', 'own', { spec: { selector: { tier: 'front', app: 'web' } } })
    const other = object('Service', 'other', { spec: { selector: { tier: 'front', app: 'else' } } })
    const without = object('Service', 'without', { spec: {} })
    expect(edgesOf([service, other, without, pod('alone', undefined)], { machines: false })).toEqual([
      'Service/shop/own selects Pod/shop/alone',
    ])
  })

  it('keeps a workload that has no pods, and leaves out a Service’s target in another namespace', () => {
    const { nodes } = buildGraph([object('Deployment', 'idle'), object('ReplicaSet', 'idle-1', {}, 'Deployment/idle')], OPTIONS)
    expect([...nodes.keys()]).toEqual(['Deployment/shop/idle'])
  })

  it('does not go round in circles where owners do', () => {
    const circle = [object('Job', 'a', {}, 'CronJob/b'), object('CronJob', 'b', {}, 'Job/a'), pod('p', 'Job/a')]
    expect(() => buildGraph(circle, OPTIONS)).not.toThrow()
  })

  it('copes with two thousand objects in a moment', () => {
    const many = Array.from({ length: 200 }, (_, i) => [
      object('Deployment', `d${i}`),
      object('ReplicaSet', `d${i}-1`, {}, `Deployment/d${i}`),
      ...Array.from({ length: 8 }, (_pod, j) => pod(`d${i}-1-${j}`, `ReplicaSet/d${i}-1`)),
    ]).flat()
    const graph = buildGraph([...many, object('Node', 'moth')], OPTIONS)
    expect(graph.nodes.size).toBe(401)
  })
})

describe('usedBy', () => {
  it('finds volumes, variables and credentials, each once, and not what is everywhere', () => {
    const spec = {
      volumes: [
        { name: 'a', configMap: { name: 'settings' } },
        { name: 'b', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'c', projected: { sources: [{ secret: { name: 'token' } }, { configMap: { name: 'kube-root-ca.crt' } }] } },
      ],
      containers: [
        {
          name: 'app',
          envFrom: [{ configMapRef: { name: 'settings' } }],
          env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'db', key: 'x' } } }],
        },
      ],
      initContainers: [{ name: 'init', envFrom: [{ secretRef: { name: 'seed' } }] }],
      imagePullSecrets: [{ name: 'registry' }],
    }
    expect(usedBy(spec as never).map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'ConfigMap/settings',
      'PersistentVolumeClaim/data',
      'Secret/token',
      'Secret/db',
      'Secret/seed',
      'Secret/registry',
    ])
  })
})

describe('connected', () => {
  it('keeps what leads there and what comes after, and not what only shares the machine', () => {
    const graph = buildGraph([...WEB, object('Deployment', 'api'), pod('api-1', 'Deployment/api')], OPTIONS)
    const { nodes } = connected(graph, 'Deployment/shop/web')
    expect([...nodes.keys()].toSorted()).toEqual([
      'Deployment/shop/web',
      'Ingress/shop/web',
      'Node//moth',
      'Service/shop/web',
      'pods:Deployment/shop/web',
    ])
    expect(connected(graph, 'Node//moth').nodes.has('Deployment/shop/api')).toBe(true)
  })
})
