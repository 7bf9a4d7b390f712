import { expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import type { CSINode, StorageClass, VolumeAttachment } from '../../../api/storage/v1/types.gen.ts'
import type { ClusterObjects } from '../../snapshot/cluster-objects.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'

const EXCEEDED = 'node(s) exceed max volume count'
const withClaims = (name: string, claims: readonly string[], on?: string) =>
  podOf(name, {
    spec: { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) },
    ...(on ? { on } : {}),
  })
/** Claims named "new-…" have no volume yet. Node a takes two volumes of the driver, b any number. */
const world = (pods: ReturnType<typeof podOf>[], more: Partial<ClusterObjects> = {}) =>
  pluginWorld([nodeVolumeLimits], {
    nodes: [nodeOf('a'), nodeOf('b')],
    pods,
    objects: {
      persistentVolumeClaim: (namespace, name) =>
        ({
          metadata: { name, namespace },
          spec: { storageClassName: 'fast', ...(name.startsWith('new-') ? {} : { volumeName: `pv-${name}` }) },
        }) as unknown as PersistentVolumeClaim,
      persistentVolume: (name) =>
        ({ metadata: { name }, spec: { csi: { driver: 'example.com/disks', volumeHandle: name } } }) as unknown as PersistentVolume,
      storageClass: () => ({ provisioner: 'example.com/disks' }) as StorageClass,
      csiNode: (name) =>
        name === 'a'
          ? ({ spec: { drivers: [{ name: 'example.com/disks', nodeID: 'a', allocatable: { count: 2 } }] } } as unknown as CSINode)
          : undefined,
      ...more,
    },
  })

it('counts the volumes of a node, and those that are to come', () => {
  expect(world([withClaims('one', ['x'], 'a')]).reasons(withClaims('two', ['y']))).toEqual({ a: '', b: '' })
  expect(world([withClaims('one', ['x'], 'a')]).reasons(withClaims('two', ['y', 'z']))).toEqual({ a: EXCEEDED, b: '' })
  expect(world([withClaims('one', ['x'], 'a')]).reasons(withClaims('two', ['y', 'new-z']))).toEqual({ a: EXCEEDED, b: '' })
})

it('counts a volume that several pods use once', () => {
  expect(world([withClaims('one', ['x', 'y'], 'a')]).reasons(withClaims('two', ['x']))).toEqual({ a: '', b: '' })
})

it('counts volumes that are attached though no pod there uses them', () => {
  const attached = (volume: string) =>
    ({ spec: { attacher: 'example.com/disks', nodeName: 'a', source: { persistentVolumeName: volume } } }) as unknown as VolumeAttachment
  const still = (...volumes: string[]) => ({ volumeAttachments: (node: string) => (node === 'a' ? volumes.map(attached) : []) })
  const busy = (...volumes: string[]) => world([withClaims('one', ['x'], 'a')], still(...volumes))
  expect(busy('pv-x').reasons(withClaims('two', ['y']))).toEqual({ a: '', b: '' })
  expect(busy('pv-x', 'pv-old').reasons(withClaims('two', ['y']))).toEqual({ a: EXCEEDED, b: '' })
  expect(busy('pv-x', 'pv-y').reasons(withClaims('two', ['y']))).toEqual({ a: '', b: '' })
})
