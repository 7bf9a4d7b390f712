import { describe, expect, it } from 'vitest'
import { configMap } from '../../api/core/v1/config-map.ts'
import { namespace } from '../../api/core/v1/namespace.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service } from '../../api/core/v1/service.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { role } from '../../api/rbac/v1/role.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { forbidden, unavailable } from '../../machinery/status.ts'
import { createControllers } from '../controllers.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'
import { overrideClient } from '../testing/override-client.ts'

const only = ['namespace-controller']
const start = (options: Partial<ClusterOptions> = {}) => startCluster({ only, ...options })

const conditionsOf = async ({ client }: TestCluster) => {
  const { status } = await client.get(namespace, { name: NAMESPACE })
  return Object.fromEntries((status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]))
}
const condition = async ({ client }: TestCluster, type: string) =>
  (await client.get(namespace, { name: NAMESPACE })).status.conditions?.find((each) => each.type === type)
const isGone = async ({ client }: TestCluster) => !(await client.list(namespace)).items.some(({ metadata }) => metadata.name === NAMESPACE)
const end = (cluster: TestCluster) => cluster.client.delete(namespace, { name: NAMESPACE })
const settings = (name: string, finalizers: string[] = []) => ({ metadata: { name, namespace: NAMESPACE, finalizers } })
const podOf = (name: string, finalizers: string[] = []): Draft<Pod> => ({ ...template({}), ...settings(name, finalizers) })

describe('the namespace controller', () => {
  it('empties a namespace of everything and finalizes it, and leaves others alone', async () => {
    await using cluster = await start({ hollow: { stopDelay: 3000 } })
    const { client } = cluster
    await client.create(configMap, settings('c'))
    await client.create(configMap, { metadata: { name: 'kept', namespace: 'default' } })
    await client.create(role, { ...settings('r'), rules: [] })
    await client.create(service, { ...settings('s'), spec: { ports: [{ port: 80 }] } })
    await client.create(podKind, podOf('p'))
    await cluster.quiet()
    await end(cluster)
    await cluster.advance(20_000)
    expect(await isGone(cluster)).toBe(true)
    for (const kind of [configMap, role, service, podKind]) expect((await client.list(kind, { namespace: NAMESPACE })).items).toEqual([])
    expect(await client.get(configMap, { namespace: 'default', name: 'kept' })).toBeDefined()
    expect(cluster.complaints).toEqual([])
  })

  it('gives what was let in before the mark time to come through', async () => {
    await using cluster = await start()
    await end(cluster)
    await cluster.quiet()
    expect(cluster.writes).toEqual([])
    expect((await cluster.client.get(namespace, { name: NAMESPACE })).status.phase).toBe('Terminating')
    await cluster.advance(2000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('deletes the pods first and keeps the rest until they have ended', async () => {
    await using cluster = await start({ hollow: { stopDelay: 20_000 } })
    const { client } = cluster
    await client.create(configMap, settings('needed'))
    await client.create(podKind, podOf('slow'))
    await cluster.quiet()
    await end(cluster)
    await cluster.advance(15_000)
    expect((await client.list(configMap, { namespace: NAMESPACE, fieldSelector: 'metadata.name=needed' })).items).toHaveLength(1)
    expect(await conditionsOf(cluster)).toEqual({
      NamespaceDeletionDiscoveryFailure: 'False ResourcesDiscovered',
      NamespaceDeletionGroupVersionParsingFailure: 'False ParsedGroupVersions',
      NamespaceDeletionContentFailure: 'False ContentDeleted',
      NamespaceContentRemaining: 'True SomeResourcesRemain',
      NamespaceFinalizersRemaining: 'False ContentHasNoFinalizers',
    })
    expect((await condition(cluster, 'NamespaceContentRemaining'))?.message).toBe(
      'Some resources are remaining: pods. has 1 resource instances',
    )
    await cluster.advance(7000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('goes on with the end of the last pod without waiting for the estimate', async () => {
    await using cluster = await start({ hollow: { stopDelay: 5000 } })
    await cluster.client.create(podKind, { ...podOf('p'), spec: { ...template({}).spec, terminationGracePeriodSeconds: 3600 } })
    await cluster.quiet()
    await end(cluster)
    await cluster.advance(8000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('says which finalizers hold it, and ends when they are removed', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(configMap, settings('held', ['example.com/hold']))
    await client.create(podKind, podOf('p', ['example.com/hold', 'example.com/other']))
    await end(cluster)
    await cluster.advance(3000)
    expect((await condition(cluster, 'NamespaceFinalizersRemaining'))?.message).toBe(
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances, example.com/other in 1 resource instances',
    )
    const free = { type: 'merge' as const, body: { metadata: { finalizers: null } } }
    await client.patch(podKind, { namespace: NAMESPACE, name: 'p' }, free)
    await cluster.advance(60_000)
    expect(await isGone(cluster)).toBe(false)
    expect(await conditionsOf(cluster)).toMatchObject({ NamespaceContentRemaining: 'True SomeResourcesRemain' })
    await client.patch(configMap, { namespace: NAMESPACE, name: 'held' }, free)
    await cluster.advance(30_000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('deletes all else where one resource refuses, says so, and tries again', async () => {
    let refuse = true
    await using cluster = await start({
      server: {
        checks: [
          async ({ operation, kind, name }) => {
            if (refuse && operation === 'DELETE' && kind.kind === 'Role') throw forbidden(kind, name, 'it is precious')
          },
        ],
      },
    })
    const { client } = cluster
    await client.create(role, { ...settings('r'), rules: [] })
    await client.create(configMap, settings('c'))
    await end(cluster)
    await cluster.advance(3000)
    expect((await client.list(configMap, { namespace: NAMESPACE })).items).toEqual([])
    expect(await conditionsOf(cluster)).toMatchObject({
      NamespaceDeletionContentFailure: 'True ContentDeletionFailed',
      NamespaceDeletionDiscoveryFailure: 'False ResourcesDiscovered',
    })
    expect((await condition(cluster, 'NamespaceDeletionContentFailure'))?.message).toContain('it is precious')
    refuse = false
    await cluster.advance(60_000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('never finalizes while a group cannot be discovered', async () => {
    let broken = true
    const wrap = (client: Client) =>
      overrideClient(client, {
        request: async (request) => {
          if (broken && request.path === '/apis/batch/v1') throw unavailable('batch is away')
          return client.request(request)
        },
      })
    await using cluster = await start({ wrap })
    await cluster.client.create(configMap, settings('c'))
    await end(cluster)
    await cluster.advance(10_000)
    expect(await isGone(cluster)).toBe(false)
    expect((await cluster.client.list(configMap, { namespace: NAMESPACE })).items).toEqual([])
    expect((await condition(cluster, 'NamespaceDeletionDiscoveryFailure'))?.message).toBe(
      'Discovery failed for some groups, 1 failing: batch/v1: batch is away',
    )
    broken = false
    await cluster.advance(60_000)
    expect(await isGone(cluster)).toBe(true)
  })

  it('keeps the finalizers of others', async () => {
    await using cluster = await start()
    const { client } = cluster
    await client.create(namespace, { metadata: { name: 'shared' }, spec: { finalizers: ['example.com/other'] } })
    await client.delete(namespace, { name: 'shared' })
    await cluster.advance(5000)
    expect((await client.get(namespace, { name: 'shared' })).spec.finalizers).toEqual(['example.com/other'])
    const writes = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes).toHaveLength(writes)
  })

  it('goes on with an end that was begun while it was away', async () => {
    await using cluster = await start({ only: [] })
    const { client, clock } = cluster
    await client.create(configMap, settings('c'))
    await end(cluster)
    await cluster.advance(60_000)
    expect(await isGone(cluster)).toBe(false)
    await using controllers = createControllers({ client, clock, random: seededRandom(1), logger: silentLogger, only })
    await controllers.start()
    await cluster.quiet()
    expect(await isGone(cluster)).toBe(true)
  })
})
