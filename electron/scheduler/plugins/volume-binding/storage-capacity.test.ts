import { describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '../../../api/storage/v1/types.gen.ts'
import { NAMESPACE, nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { volumeBinding } from './volume-binding.ts'

const NO_ROOM = 'node(s) did not have enough free storage'
const pod = podOf('web', { spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } })
const claim = {
  metadata: { name: 'data', namespace: NAMESPACE },
  spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
  status: {},
} as unknown as PersistentVolumeClaim
const room = (zone: string, sizes: Partial<CSIStorageCapacity>) =>
  ({ metadata: { name: zone }, storageClassName: 'fast', nodeTopology: { matchLabels: { zone } }, ...sizes }) as CSIStorageCapacity

function reasons(capacities: readonly CSIStorageCapacity[], tells = true) {
  return pluginWorld([volumeBinding], {
    nodes: [nodeOf('a', { labels: { zone: 'east' } }), nodeOf('b', { labels: { zone: 'west' } })],
    objects: {
      persistentVolumeClaim: () => claim,
      storageClass: () =>
        ({ metadata: { name: 'fast' }, provisioner: 'csi.example.com', volumeBindingMode: 'WaitForFirstConsumer' }) as StorageClass,
      csiDriver: () => ({ metadata: { name: 'csi.example.com' }, spec: { storageCapacity: tells } }) as CSIDriver,
      storageCapacities: () => capacities,
    },
  }).reasons(pod)
}

describe('a volume that is to be made', () => {
  it('is asked for where its driver has room', () => {
    expect(reasons([room('east', { capacity: '10Gi' }), room('west', { capacity: '9Gi' })])).toEqual({ a: '', b: NO_ROOM })
    expect(reasons([room('east', { capacity: '100Gi', maximumVolumeSize: '5Gi' })])).toEqual({ a: NO_ROOM, b: NO_ROOM })
    expect(reasons([room('west', {})])).toEqual({ a: NO_ROOM, b: NO_ROOM })
  })

  it('is asked for anywhere of a driver that does not tell', () => {
    expect(reasons([], false)).toEqual({ a: '', b: '' })
  })
})
