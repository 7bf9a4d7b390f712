import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim as claimKind } from '../../api/core/v1/persistent-volume-claim.ts'
import { persistentVolume as volumeKind } from '../../api/core/v1/persistent-volume.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { NAMESPACE, startCluster } from '../testing/cluster.ts'
import { isGone } from '../testing/custom-resources.ts'
import { claimOf, volumeOf } from '../testing/storage.ts'

const only = [
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'persistentvolume-binder-controller',
  'ephemeral-volume-controller',
]
const at = (name: string) => ({ namespace: NAMESPACE, name })
const podWith = (name: string, spec: Draft<Pod['spec']>): Draft<Pod> => ({
  metadata: at(name),
  spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
})
const using = (claimName: string) => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] })

describe('a claim that is deleted', () => {
  it('stays while a pod on a node uses it, even one that has ended', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(claimKind, claimOf('data'))
    await client.create(podKind, podWith('web', { ...using('data'), nodeName: 'node-0' }))
    await cluster.quiet()
    await client.delete(claimKind, at('data'))
    await cluster.quiet()
    const { metadata } = await client.get(claimKind, at('data'))
    expect([metadata.deletionTimestamp, metadata.finalizers]).toEqual([expect.any(String), ['kubernetes.io/pvc-protection']])
    await client.patch(podKind, at('web'), { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
    await cluster.quiet()
    expect(await isGone(client.get(claimKind, at('data')))).toBe(false)
    await client.delete(podKind, at('web'), { gracePeriodSeconds: 0 })
    await cluster.quiet()
    expect(await isGone(client.get(claimKind, at('data')))).toBe(true)
    expect(cluster.complaints).toEqual([])
  })

  it('goes although a pod waits for it that has no node', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(claimKind, claimOf('data'))
    await client.create(podKind, podWith('web', using('data')))
    await cluster.quiet()
    await client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect(await isGone(client.get(claimKind, at('data')))).toBe(true)
  })
})

describe('a volume that is deleted', () => {
  it('stays while a claim has it', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(volumeKind, volumeOf('pv'))
    await client.create(volumeKind, volumeOf('spare', { capacity: { storage: '9Gi' } }))
    await client.create(claimKind, claimOf('data'))
    await cluster.quiet()
    await client.delete(volumeKind, { name: 'pv' })
    await client.delete(volumeKind, { name: 'spare' })
    await cluster.quiet()
    expect(await isGone(client.get(volumeKind, { name: 'spare' }))).toBe(true)
    expect((await client.get(volumeKind, { name: 'pv' })).metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
    await client.delete(claimKind, at('data'))
    await cluster.quiet()
    expect(await isGone(client.get(volumeKind, { name: 'pv' }))).toBe(true)
  })
})

describe('a volume of a pod’s own', () => {
  const volumeClaimTemplate = {
    metadata: { labels: { of: 'web' } },
    spec: { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Mi' } } },
  }
  const own = { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }] }

  it('gets a claim that belongs to the pod', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    const { metadata } = await client.create(podKind, podWith('web', own))
    await cluster.quiet()
    const claim = await client.get(claimKind, at('web-scratch'))
    expect(claim.metadata).toMatchObject({
      labels: { of: 'web' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid: metadata.uid, controller: true, blockOwnerDeletion: true }],
    })
    expect(claim.spec.resources).toEqual({ requests: { storage: '1Mi' } })
    await client.delete(claimKind, at('web-scratch'))
    await cluster.quiet()
    expect((await client.get(claimKind, at('web-scratch'))).metadata.uid).not.toBe(claim.metadata.uid)
  })

  it('takes no claim that somebody else made', async () => {
    await using cluster = await startCluster({ only })
    await cluster.client.create(claimKind, claimOf('web-scratch'))
    await cluster.client.create(podKind, podWith('web', own))
    await cluster.quiet()
    const why = 'ephemeral volume scratch: PVC test/web-scratch was not created for pod test/web (pod is not owner)'
    expect(await cluster.events('web')).toEqual([`FailedBinding: ${why}`])
  })

  it('can go as soon as the pod has ended', async () => {
    await using cluster = await startCluster({ only })
    const { client } = cluster
    await client.create(podKind, podWith('web', { ...own, nodeName: 'node-0' }))
    await cluster.quiet()
    await client.delete(claimKind, at('web-scratch'))
    await cluster.quiet()
    expect(await isGone(client.get(claimKind, at('web-scratch')))).toBe(false)
    await client.patch(podKind, at('web'), { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
    await cluster.quiet()
    expect(await isGone(client.get(claimKind, at('web-scratch')))).toBe(true)
  })
})
