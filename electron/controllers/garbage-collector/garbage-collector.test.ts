import { describe, expect, it } from 'vitest'
import { deployment } from '../../api/apps/v1/deployment.ts'
import { replicaSet } from '../../api/apps/v1/replica-set.ts'
import { configMap } from '../../api/core/v1/config-map.ts'
import { namespace } from '../../api/core/v1/namespace.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { ConfigMap } from '../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { OwnerReference } from '../../api/meta/v1/types.gen.ts'
import { clusterRole } from '../../api/rbac/v1/cluster-role.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { ownerReference } from '../../machinery/object.ts'
import { unavailable } from '../../machinery/status.ts'
import { createControllers } from '../controllers.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { deploymentOf } from '../testing/objects.ts'
import { overrideClient } from '../testing/override-client.ts'

const only = ['garbage-collector-controller']
const workloads = [...only, 'deployment-controller', 'replicaset-controller']
const start = (options: Partial<ClusterOptions> = {}) => startCluster({ only, ...options })

const at = (name: string, where = NAMESPACE) => ({ name, namespace: where })
const make = async ({ client }: TestCluster, name: string, ownerReferences: OwnerReference[] = [], finalizers: string[] = []) =>
  client.create(configMap, { metadata: { ...at(name), ownerReferences, finalizers } })
const owns = (owner: ConfigMap, more: Partial<OwnerReference> = {}): OwnerReference => ({ ...ownerReference(owner, configMap), ...more })
const left = async ({ client }: TestCluster, where = NAMESPACE) =>
  (await client.list(configMap, { namespace: where })).items.map(({ metadata }) => metadata.name).sort()
const remove = async (cluster: TestCluster, name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') => {
  await cluster.client.delete(configMap, at(name), { propagationPolicy })
  await cluster.quiet()
}
const ownersOf = async ({ client }: TestCluster, name: string) =>
  ((await client.get(configMap, at(name))).metadata.ownerReferences ?? []).map((owner) => owner.name)
const ABSENT: OwnerReference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: '00000000-0000-0000-0000-000000000000' }

/** Fails what `fails` says, and notes what is read. */
function faulty(fails: (verb: string, name: string) => boolean, reads: string[] = []): (client: Client) => Client {
  return (client) =>
    overrideClient(client, {
      get: async (kind, where, options) => {
        reads.push(`${kind.resource} ${where.name}`)
        if (fails('get', where.name)) throw unavailable('the server is away')
        return client.get(kind, where, options)
      },
      patch: async (kind, where, patch, options) => {
        if (fails('patch', where.name)) throw unavailable('the server is away')
        return client.patch(kind, where, patch, options)
      },
    })
}

describe('the garbage collector', () => {
  it('deletes in the background what the deleted owned, down to the last', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    const b = await make(cluster, 'b', [owns(a)])
    await make(cluster, 'c', [owns(b)])
    await make(cluster, 'free')
    await remove(cluster, 'a', 'Background')
    expect(await left(cluster)).not.toContain('b')
    expect(await left(cluster)).not.toContain('c')
    expect(await left(cluster)).toContain('free')
    expect(cluster.complaints).toEqual([])
  })

  it('takes a Deployment down with its sets and pods', async () => {
    await using cluster = await start({ only: workloads, hollow: { stopDelay: 2000 } })
    const { client } = cluster
    await client.create(deployment, deploymentOf('web', { replicas: 3 }))
    await cluster.quiet()
    expect((await client.list(podKind, { namespace: NAMESPACE })).items).toHaveLength(3)
    await client.delete(deployment, at('web'), { propagationPolicy: 'Background' })
    await cluster.advance(5000)
    expect((await client.list(replicaSet, { namespace: NAMESPACE })).items).toEqual([])
    expect((await client.list(podKind, { namespace: NAMESPACE })).items).toEqual([])
  })

  it('keeps a Deployment that is deleted in the foreground until its last pod has ended', async () => {
    await using cluster = await start({ only: workloads, hollow: { stopDelay: 20_000 } })
    const { client } = cluster
    await client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.quiet()
    await client.delete(deployment, at('web'), { propagationPolicy: 'Foreground' })
    await cluster.advance(15_000)
    expect((await client.get(deployment, at('web'))).metadata.finalizers).toEqual(['foregroundDeletion'])
    expect((await client.list(replicaSet, { namespace: NAMESPACE })).items).toHaveLength(1)
    await cluster.advance(10_000)
    const kinds: readonly AnyKind[] = [deployment, replicaSet, podKind]
    for (const kind of kinds) expect((await client.list(kind, { namespace: NAMESPACE })).items).toEqual([])
    expect(cluster.complaints).toEqual([])
  })

  it('does not wait in the foreground for what does not block, but deletes it', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    await make(cluster, 'blocking', [owns(a, { blockOwnerDeletion: true })], ['example.com/hold'])
    await make(cluster, 'other', [owns(a)], ['example.com/hold'])
    await remove(cluster, 'a', 'Foreground')
    expect(await left(cluster)).toContain('a')
    expect((await cluster.client.get(configMap, at('other'))).metadata.deletionTimestamp).toBeDefined()
    const free = { type: 'merge' as const, body: { metadata: { finalizers: null } } }
    await cluster.client.patch(configMap, at('blocking'), free)
    await cluster.quiet()
    expect(await left(cluster)).not.toContain('a')
    expect(await left(cluster)).toContain('other')
  })

  it('lets an owner go that waits for a dependent which is given to someone else', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    const other = await make(cluster, 'other')
    await make(cluster, 'b', [owns(a, { blockOwnerDeletion: true })], ['example.com/hold'])
    await make(cluster, 'shared', [owns(a, { blockOwnerDeletion: true }), owns(other)])
    await remove(cluster, 'a', 'Foreground')
    expect(await ownersOf(cluster, 'shared')).toEqual(['other'])
    await cluster.client.patch(configMap, at('b'), { type: 'merge', body: { metadata: { ownerReferences: [] } } })
    await cluster.quiet()
    expect(await left(cluster)).toEqual(expect.arrayContaining(['b', 'other', 'shared']))
    expect(await left(cluster)).not.toContain('a')
  })

  it('resolves a circle of owners that wait for each other', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    const b = await make(cluster, 'b', [owns(a, { blockOwnerDeletion: true })])
    const c = await make(cluster, 'c', [owns(b, { blockOwnerDeletion: true })])
    const ownerReferences = [owns(c, { blockOwnerDeletion: true })]
    await cluster.client.patch(configMap, at('a'), { type: 'merge', body: { metadata: { ownerReferences } } })
    await remove(cluster, 'a', 'Foreground')
    await cluster.advance(60_000)
    for (const name of ['a', 'b', 'c']) expect(await left(cluster)).not.toContain(name)
  })

  it('leaves orphans as they are but for their owner', async () => {
    await using cluster = await start({ only: workloads, hollow: {} })
    const { client } = cluster
    await client.create(deployment, deploymentOf('web', { replicas: 2 }))
    await cluster.quiet()
    await client.delete(deployment, at('web'), { propagationPolicy: 'Orphan' })
    await cluster.advance(60_000)
    expect((await client.list(deployment, { namespace: NAMESPACE })).items).toEqual([])
    const [set] = (await client.list(replicaSet, { namespace: NAMESPACE })).items
    expect(set?.metadata.ownerReferences ?? []).toEqual([])
    expect(set?.metadata.deletionTimestamp).toBeUndefined()
    expect((await client.list(podKind, { namespace: NAMESPACE })).items).toHaveLength(2)
  })

  it('does not let an owner go before each orphan has been told', async () => {
    let broken = true
    await using cluster = await start({ wrap: faulty((verb, name) => broken && verb === 'patch' && name === 'b') })
    const a = await make(cluster, 'a')
    await make(cluster, 'b', [owns(a)])
    await make(cluster, 'c', [owns(a)])
    await remove(cluster, 'a', 'Orphan')
    expect(await left(cluster)).toContain('a')
    broken = false
    await cluster.advance(60_000)
    expect(await left(cluster)).toEqual(expect.arrayContaining(['b', 'c']))
    expect(await left(cluster)).not.toContain('a')
    expect(await ownersOf(cluster, 'b')).toEqual([])
  })

  it('deletes nothing while it cannot learn from the server that the owner is gone', async () => {
    let broken = true
    await using cluster = await start({ wrap: faulty((verb, name) => broken && verb === 'get' && name === 'never') })
    await make(cluster, 'b', [ABSENT])
    await cluster.advance(10_000)
    expect(await left(cluster)).toContain('b')
    broken = false
    await cluster.advance(60_000)
    expect(await left(cluster)).not.toContain('b')
  })

  it('asks the server nothing about owners that it sees', async () => {
    const reads: string[] = []
    await using cluster = await start({ wrap: faulty(() => false, reads) })
    const a = await make(cluster, 'a')
    for (let i = 0; i < 20; i++) await make(cluster, `b-${i}`, [owns(a)])
    await cluster.quiet()
    expect(reads.filter((read) => read.startsWith('configmaps'))).toEqual([])
  })

  it('takes another one of the same name for no owner', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    await make(cluster, 'b', [owns(a)])
    await cluster.client.delete(configMap, at('a'))
    await make(cluster, 'a')
    await cluster.quiet()
    expect(await left(cluster)).toContain('a')
    expect(await left(cluster)).not.toContain('b')
  })

  it('keeps what still has an owner, and takes those off it that are gone', async () => {
    await using cluster = await start()
    const a = await make(cluster, 'a')
    const b = await make(cluster, 'b')
    await make(cluster, 'c', [owns(a), owns(b)])
    await remove(cluster, 'a', 'Background')
    expect(await ownersOf(cluster, 'c')).toEqual(['b'])
    await remove(cluster, 'b', 'Background')
    expect(await left(cluster)).not.toContain('c')
  })

  it('does not delete what was given an owner between its judgement and its end', async () => {
    let rescue: (() => Promise<unknown>) | null = null
    const wrap = (client: Client) =>
      overrideClient(client, {
        delete: async (kind, where, options) => {
          const first = rescue
          rescue = null
          if (where.name === 'b') await first?.()
          return client.delete(kind, where, options)
        },
      })
    await using cluster = await start({ wrap })
    const keeper = await make(cluster, 'keeper')
    const body = { metadata: { ownerReferences: [owns(keeper)] } }
    rescue = () => cluster.client.patch(configMap, at('b'), { type: 'merge', body })
    await make(cluster, 'b', [ABSENT])
    await cluster.advance(60_000)
    expect(await ownersOf(cluster, 'b')).toEqual(['keeper'])
  })

  it('deletes what changes all the time, as long as its owners do not', async () => {
    let changes = 0
    const wrap = (client: Client) =>
      overrideClient(client, {
        delete: async (kind, where, options) => {
          if (where.name === 'b') await client.patch(configMap, where, { type: 'merge', body: { data: { n: String(changes++) } } })
          return client.delete(kind, where, options)
        },
      })
    await using cluster = await start({ wrap })
    await make(cluster, 'b', [ABSENT])
    await cluster.quiet()
    expect(await left(cluster)).not.toContain('b')
    expect(changes).toBe(2)
  })

  it('knows no owner in another namespace, and says so', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(namespace, { metadata: { name: 'elsewhere' } })
    const a = await make(cluster, 'a')
    await client.create(configMap, { metadata: { ...at('b', 'elsewhere'), ownerReferences: [owns(a)] } })
    await cluster.quiet()
    expect(await left(cluster, 'elsewhere')).not.toContain('b')
    expect((await cluster.events('b'))[0]).toMatch(/^OwnerRefInvalidNamespace: ownerRef .* does not exist in namespace "elsewhere"$/)
  })

  it('never deletes what names an owner that it cannot have, or of a kind that nobody serves', async () => {
    await using cluster = await start()
    const { client } = cluster
    const a = await make(cluster, 'a')
    await client.create(clusterRole, { metadata: { name: 'wide', ownerReferences: [owns(a)] }, rules: [] })
    const foreign = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'u-1' }
    await make(cluster, 'custom', [foreign])
    await remove(cluster, 'a', 'Background')
    await cluster.advance(3_600_000)
    expect(await left(cluster)).toContain('custom')
    expect((await client.get(clusterRole, { name: 'wide' })).metadata.deletionTimestamp).toBeUndefined()
  })

  it('counts owners without a namespace', async () => {
    await using cluster = await start()
    const { client } = cluster
    const node = await client.create(nodeKind, { metadata: { name: 'n' } })
    await make(cluster, 'b', [ownerReference(node, nodeKind)])
    await cluster.quiet()
    expect(await left(cluster)).toContain('b')
    await client.delete(nodeKind, { name: 'n' })
    await cluster.quiet()
    expect(await left(cluster)).not.toContain('b')
  })

  it('takes up at its start what happened while it was away', async () => {
    await using cluster = await start({ only: [] })
    const { client, clock } = cluster
    await make(cluster, 'dangling', [ABSENT])
    const a = await make(cluster, 'a')
    await make(cluster, 'below-a', [owns(a, { blockOwnerDeletion: true })])
    const b = await make(cluster, 'b')
    await make(cluster, 'below-b', [owns(b)])
    await remove(cluster, 'a', 'Foreground')
    await remove(cluster, 'b', 'Orphan')
    expect(await left(cluster)).toEqual(expect.arrayContaining(['dangling', 'a', 'below-a', 'b', 'below-b']))
    await using controllers = createControllers({ client, clock, random: seededRandom(1), logger: silentLogger, only })
    await controllers.start()
    await cluster.advance(5000)
    expect(await left(cluster)).toEqual(['below-b'])
  })
})
