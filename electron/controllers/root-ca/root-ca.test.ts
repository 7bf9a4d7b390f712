import { describe, expect, it } from 'vitest'
import { configMap as configMapKind } from '../../api/core/v1/config-map.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'

const only = ['root-ca-certificate-publisher-controller']
const options = { rootCa: 'PEM of the CA\n' }
const at = (namespace: string) => ({ namespace, name: 'kube-root-ca.crt' })

describe('the root CA publisher', () => {
  it('gives the CA to namespaces that are there and to those that come', async () => {
    await using cluster = await startCluster({ only, options })
    const { client } = cluster
    await client.create(namespaceKind, { metadata: { name: 'late' } })
    await cluster.quiet()
    for (const namespace of [NAMESPACE, 'late', 'kube-system']) {
      expect((await client.get(configMapKind, at(namespace))).data).toEqual({ 'ca.crt': 'PEM of the CA\n' })
    }
    expect(cluster.complaints).toEqual([])
  })

  it('puts back what somebody changed or deleted, and leaves other maps alone', async () => {
    await using cluster = await startCluster({ only, options })
    const { client } = cluster
    const forged = { data: { 'ca.crt': 'forged', more: 'x' }, metadata: { labels: { mine: 'yes' } } }
    await client.patch(configMapKind, at(NAMESPACE), { type: 'merge', body: forged })
    await cluster.quiet()
    const repaired = await client.get(configMapKind, at(NAMESPACE))
    expect(repaired.data).toEqual({ 'ca.crt': 'PEM of the CA\n' })
    expect(repaired.metadata.labels).toEqual({ mine: 'yes' })
    await client.delete(configMapKind, at(NAMESPACE))
    await client.create(configMapKind, { metadata: { name: 'other', namespace: NAMESPACE }, data: { a: 'b' } })
    await cluster.quiet()
    expect((await client.get(configMapKind, at(NAMESPACE))).metadata.uid).not.toBe(repaired.metadata.uid)
    expect((await client.get(configMapKind, { namespace: NAMESPACE, name: 'other' })).data).toEqual({ a: 'b' })
  })

  it('writes nothing into a namespace that ends', async () => {
    await using cluster = await startCluster({ only, options })
    const { client } = cluster
    await client.delete(namespaceKind, { name: NAMESPACE })
    await client.delete(configMapKind, at(NAMESPACE))
    const before = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes.slice(before)).toEqual([])
    expect(cluster.complaints).toEqual([])
  })

  it('does not run where no CA is given', async () => {
    await using cluster = await startCluster({ only })
    await expect(cluster.client.get(configMapKind, at(NAMESPACE))).rejects.toMatchObject({ reason: 'NotFound' })
  })
})
