/** Informers of `@kubernetes/client-node` that lose their server, their way to it, or the history that they stand on. */
import { CoreV1Api, KubeConfig, ListWatch, Watch, type V1ConfigMap } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { kubeconfigOf, tokenOf } from '../lib/kubeconfigs.ts'
import { startCluster, type Cluster } from '../lib/cluster.ts'
import { startRelay } from '../lib/relay.ts'
import { until } from '../lib/until.ts'

let cluster: Cluster
let core: CoreV1Api
beforeAll(async () => {
  cluster = await startCluster()
  const config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(() => cluster[Symbol.asyncDispose]())

interface Watched extends AsyncDisposable {
  readonly informer: ListWatch<V1ConfigMap>
  /** "add a", "update a", "delete a" */
  readonly events: string[]
  /** What broke. */
  readonly faults: unknown[]
  /** Name and value of each object that the informer has. */
  known(): Record<string, string | undefined>
}

/** As its documentation says: what ends with a fault is started again by its user. */
async function watch(config: KubeConfig, namespace: string): Promise<Watched> {
  const api = config.makeApiClient(CoreV1Api)
  // What `makeInformer` makes, with shorter waits after each fault than its own, which grow to half a minute.
  const informer = new ListWatch<V1ConfigMap>(
    `/api/v1/namespaces/${namespace}/configmaps`,
    new Watch(config),
    () => api.listNamespacedConfigMap({ namespace, labelSelector: 'watched=yes' }),
    false,
    'watched=yes',
    undefined,
    { delayFn: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 100))) },
  )
  const events: string[] = []
  const faults: unknown[] = []
  let stopped = false
  for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, ({ metadata }) => events.push(`${verb} ${metadata?.name}`))
  informer.on('error', (fault: unknown) => {
    faults.push(fault)
    if (!stopped) setTimeout(() => void informer.start().catch(() => {}), 100)
  })
  await informer.start()
  return {
    informer,
    events,
    faults,
    known: () => Object.fromEntries(informer.list().map(({ metadata, data }) => [metadata?.name ?? '', data?.['value']])),
    async [Symbol.asyncDispose]() {
      stopped = true
      await informer.stop()
    },
  }
}

const draft = (name: string, value: string): V1ConfigMap => ({ metadata: { name, labels: { watched: 'yes' } }, data: { value } })

async function namespaceWith(name: string, values: Readonly<Record<string, string>>): Promise<string> {
  await core.createNamespace({ body: { metadata: { name } } })
  for (const [key, value] of Object.entries(values)) await core.createNamespacedConfigMap({ namespace: name, body: draft(key, value) })
  return name
}

it('goes on after the server was killed, with what changed before and after', async () => {
  const namespace = await namespaceWith('killed', { a: '1', b: '1' })
  const config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  await using watched = await watch(config, namespace)
  await until('the first two are there', () => watched.events.length === 2)
  await core.replaceNamespacedConfigMap({ namespace, name: 'a', body: draft('a', '2') })
  await core.deleteNamespacedConfigMap({ namespace, name: 'b' })
  await cluster.kill()
  await cluster.restart()
  await until('the server answers', () => core.createNamespacedConfigMap({ namespace, body: draft('c', '3') }))
  await until('the informer knows all', () => JSON.stringify(watched.known()) === '{"a":"2","c":"3"}')
  expect(watched.events.filter((event) => event !== 'update a')).toEqual(['add a', 'add b', 'delete b', 'add c'])
})

it('loses nothing while its connection is cut', async () => {
  const namespace = await namespaceWith('cut', { a: '1', b: '1' })
  await using relay = await startRelay(cluster.url)
  await cluster.client.request({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/namespaces/cut/rolebindings',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      metadata: { name: 'view' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    }),
  })
  const token = await until('there is a service account', () => tokenOf(cluster, namespace, 'default'))
  const config = new KubeConfig()
  config.loadFromFile(await kubeconfigOf(cluster, { token }, relay.url))
  await until('the account may read', () => config.makeApiClient(CoreV1Api).listNamespacedConfigMap({ namespace }))
  await using watched = await watch(config, namespace)
  await until('the first two are there', () => watched.events.length === 2)
  relay.cut()
  await until('the informer noticed', () => watched.faults.length > 0)
  await core.deleteNamespacedConfigMap({ namespace, name: 'a' })
  await core.replaceNamespacedConfigMap({ namespace, name: 'b', body: draft('b', '2') })
  await core.createNamespacedConfigMap({ namespace, body: draft('c', '1') })
  relay.restore()
  await until('the informer knows all', () => JSON.stringify(watched.known()) === '{"b":"2","c":"1"}')
  expect(watched.events).toEqual(['add a', 'add b', 'delete a', 'update b', 'add c'])
})

it('lists again when the history it stands on is compacted', async () => {
  const namespace = await namespaceWith('compacted', { a: '1', b: '1' })
  await using relay = await startRelay(cluster.url)
  const file = new KubeConfig()
  file.loadFromFile(cluster.kubeconfig)
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'relay', server: relay.url, caData: Buffer.from(cluster.ca).toString('base64'), skipTLSVerify: false },
    file.getCurrentUser() ?? { name: '' },
  )
  await using watched = await watch(config, namespace)
  await until('the first two are there', () => watched.events.length === 2)
  relay.cut()
  await until('the informer noticed', () => watched.faults.length > 0)
  await core.deleteNamespacedConfigMap({ namespace, name: 'a' })
  await core.createNamespacedConfigMap({ namespace, body: draft('c', '1') })
  await cluster.compact()
  // What the server still has in its memory goes with its process.
  await cluster.kill()
  await cluster.restart()
  relay.restore()
  await until('the informer knows all', () => JSON.stringify(watched.known()) === '{"b":"1","c":"1"}')
  expect(watched.events.toSorted()).toEqual(['add a', 'add b', 'add c', 'delete a'])
})

it('is told 410 when it asks for a revision that is gone', async () => {
  const namespace = await namespaceWith('gone', { a: '1' })
  const { metadata } = await core.listNamespacedConfigMap({ namespace })
  await core.createNamespacedConfigMap({ namespace, body: draft('b', '1') })
  await cluster.compact()
  await cluster.kill()
  await cluster.restart()
  const old = metadata?.resourceVersion ?? ''
  const { status, body } = await cluster.client.request({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    query: { watch: 'true', resourceVersion: old },
  })
  const text = Buffer.concat(await Array.fromAsync(body)).toString()
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  await expect(core.listNamespacedConfigMap({ namespace, resourceVersion: old, resourceVersionMatch: 'Exact' })).rejects.toMatchObject({
    code: 410,
  })
})
