/** An API server on a store on disk, with nodes that exist by their object alone, and pods that wait for a scheduler. */
import { namespace as namespaceKind } from '../../electron/api/core/v1/namespace.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Node, Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../electron/api/meta/v1/object.ts'
import { createApiServer } from '../../electron/apiserver/apiserver.ts'
import { mapLimit } from '../../electron/base/async.ts'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import type { Client } from '../../electron/client/client.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'

export const NAMESPACE = 'bench'
const WRITERS = 64

export interface HollowCluster extends AsyncDisposable {
  readonly client: Client
}

/** Each node has 32 cores, 256 GiB and room for 110 pods, and is in one of so many zones. */
export async function startHollowCluster(dir: string, nodes: number, zones: number): Promise<HollowCluster> {
  const stack = new AsyncDisposableStack()
  const random = seededRandom(1)
  const common = { clock: systemClock, logger: silentLogger, random }
  const store = stack.use(await createEmbeddedStore({ dir, ...common }))
  const server = stack.use(createApiServer({ store, ...common, admission: { disabled: ['ServiceAccount'] } }))
  server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
  await server.start()
  const client = server.clientFor({ name: 'bench', groups: ['system:masters'] })
  await client.create(namespaceKind, { metadata: { name: NAMESPACE } })
  await mapLimit(
    Array.from({ length: nodes }, (_, i) => i),
    WRITERS,
    (i) => addNode(client, i, zones),
  )
  return { client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function addNode(client: Client, index: number, zones: number): Promise<void> {
  const name = `node-${index}`
  const capacity = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' }
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${index % zones}` }
  const made = await client.create(nodeKind, { metadata: { name, labels } })
  const ready: Node = await client.update(nodeKind, { ...made, spec: {} })
  await client.update(nodeKind, { ...ready, status: { ...ready.status, capacity, allocatable: capacity } }, { subresource: 'status' })
}

export interface PodSeries {
  readonly prefix: string
  readonly app: string
  readonly count: number
  /** What each asks for; default 100m. */
  readonly cpu?: string
  readonly spec?: Draft<Pod['spec']>
}

export async function addPods(client: Client, { prefix, app, count, cpu = '100m', spec = {} }: PodSeries): Promise<void> {
  const indices = Array.from({ length: count }, (_, i) => i)
  await mapLimit(indices, WRITERS, (i) =>
    client.create(podKind, {
      metadata: { name: `${prefix}-${i}`, namespace: NAMESPACE, labels: { app } },
      spec: { containers: [{ name: 'app', image: 'app:1', resources: { requests: { cpu, memory: '500Mi' } } }], ...spec },
    }),
  )
}

/** Resolves when so many pods with this label are on nodes. `ready` is called when it looks. */
export async function whenBound(client: Client, app: string, count: number, ready: () => void): Promise<void> {
  const stopping = new AbortController()
  const bound = new Set<string>()
  const { metadata } = await client.list(podKind, { namespace: NAMESPACE })
  const watch = client.watch(podKind, {
    namespace: NAMESPACE,
    labelSelector: `app=${app}`,
    resourceVersion: metadata.resourceVersion ?? '',
    signal: stopping.signal,
    onOpen: ready,
  })
  for await (const { object } of watch) {
    if ('spec' in object && object.spec.nodeName) bound.add(object.metadata.uid)
    if (bound.size >= count) break
  }
  stopping.abort()
}
