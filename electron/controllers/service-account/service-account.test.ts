import { describe, expect, it } from 'vitest'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { serviceAccount as serviceAccountKind } from '../../api/core/v1/service-account.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'
import { template } from '../testing/objects.ts'

const only = ['serviceaccount-controller']
const at = (namespace: string) => ({ namespace, name: 'default' })

describe('the service account controller', () => {
  it('gives each namespace its default account, again where it was deleted', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(namespaceKind, { metadata: { name: 'late' } })
    await cluster.quiet()
    const { items } = await client.list(serviceAccountKind)
    const { items: namespaces } = await client.list(namespaceKind)
    expect(new Set(items.map(({ metadata }) => metadata.namespace))).toEqual(new Set(namespaces.map(({ metadata }) => metadata.name)))
    const first = await client.get(serviceAccountKind, at('late'))
    await client.delete(serviceAccountKind, at('late'))
    await cluster.quiet()
    expect((await client.get(serviceAccountKind, at('late'))).metadata.uid).not.toBe(first.metadata.uid)
    expect(cluster.complaints).toEqual([])
  })

  it('lets pods be admitted in a new namespace', async () => {
    await using cluster = await startCluster({ only, server: { admission: { disabled: [] } } })
    const { client } = cluster
    const made = await client.create(podKind, { ...template({}), metadata: { name: 'web', namespace: NAMESPACE } })
    expect(made.spec.serviceAccountName).toBe('default')
  })

  it('does nothing in a namespace that ends', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.delete(namespaceKind, { name: NAMESPACE })
    await client.delete(serviceAccountKind, at(NAMESPACE))
    const before = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes.slice(before)).toEqual([])
    expect(cluster.complaints).toEqual([])
  })
})
