import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim } from '../../../api/core/v1/persistent-volume-claim.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { StorageClass } from '../../../api/storage/v1/types.gen.ts'
import { startCluster } from '../../testing/cluster.ts'
import { NAMESPACE, nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { volumeBinding } from './volume-binding.ts'

const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes' }
const VOLUMES = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
const pod = podOf('web', { spec: { volumes: VOLUMES } })
const claimOf = (parts: { spec?: object; metadata?: object; status?: object }) =>
  ({
    metadata: { name: 'data', namespace: NAMESPACE, ...parts.metadata },
    spec: { ...parts.spec },
    status: { ...parts.status },
  }) as unknown as PersistentVolumeClaim
const boundClaim = claimOf({ metadata: { annotations: BOUND }, spec: { volumeName: 'pv-a' } })
const onNode = (name: string) => {
  const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }]
  return { spec: { nodeAffinity: { required: { nodeSelectorTerms: terms } } } } as unknown as PersistentVolume
}
const reasons = (claim: PersistentVolumeClaim | undefined, volume?: PersistentVolume, storageClass?: StorageClass) =>
  pluginWorld([volumeBinding], {
    nodes: [nodeOf('a'), nodeOf('b')],
    objects: { persistentVolumeClaim: () => claim, persistentVolume: () => volume, storageClass: () => storageClass },
  }).reasons(pod)

describe('VolumeBinding', () => {
  it('keeps a pod on the nodes that reach its volumes', () => {
    expect(reasons(boundClaim, onNode('a'))).toEqual({ a: '', b: "node(s) didn't match PersistentVolume's node affinity" })
    expect(reasons(boundClaim, { spec: {} } as unknown as PersistentVolume)).toEqual({ a: '', b: '' })
  })

  it.each<[string, PersistentVolumeClaim | undefined, string]>([
    ['a claim that is not there', undefined, 'persistentvolumeclaim "data" not found'],
    ['a claim that is not bound', claimOf({}), 'pod has unbound immediate PersistentVolumeClaims'],
    [
      'a claim whose binding is not completed',
      claimOf({ spec: { volumeName: 'pv-a' } }),
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'a claim that is leaving',
      claimOf({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      'persistentvolumeclaim "data" is being deleted',
    ],
    ['a volume that is not there', boundClaim, 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'],
  ])('has a pod wait for %s', (_name, claim, reason) => {
    expect(reasons(claim)).toEqual({ a: reason, b: reason })
  })

  it('has a pod wait for whoever binds claims when a pod is there', () => {
    const late = { volumeBindingMode: 'WaitForFirstConsumer' } as StorageClass
    const reason = 'node(s) did not find available persistent volumes to bind'
    expect(reasons(claimOf({ spec: { storageClassName: 'local' } }), undefined, late)).toEqual({ a: reason, b: reason })
  })

  it('has nothing to say of a pod without claims', () => {
    const world = pluginWorld([volumeBinding], { nodes: [nodeOf('a')] })
    expect(world.reasons(podOf('web', { spec: { volumes: [{ name: 'tmp', emptyDir: {} }] } }))).toEqual({ a: '' })
  })

  it('tries a pod again when its claim comes', async () => {
    await using cluster = await startCluster()
    await cluster.addNode('only')
    await cluster.addPod('web', { spec: { volumes: VOLUMES } })
    await cluster.quiet()
    expect(await cluster.scheduled('web')).toMatchObject({ message: expect.stringContaining('persistentvolumeclaim "data" not found') })
    await cluster.client.create(persistentVolumeClaim, {
      metadata: { name: 'data', namespace: NAMESPACE },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
    await cluster.advance(1000)
    expect(await cluster.scheduled('web')).toMatchObject({
      message: expect.stringContaining('pod has unbound immediate PersistentVolumeClaims'),
    })
  })
})
