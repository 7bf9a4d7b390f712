import { expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/core/v1/types.gen.ts'
import { NAMESPACE, nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { volumeZone } from './volume-zone.ts'

const ZONE = 'topology.kubernetes.io/zone'
const CONFLICT = 'node(s) had no available volume zone'
const pod = podOf('web', { spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } })
const claim = { metadata: { name: 'data', namespace: NAMESPACE }, spec: { volumeName: 'pv' } } as unknown as PersistentVolumeClaim
const reasons = (labels: Record<string, string>) =>
  pluginWorld([volumeZone], {
    nodes: [
      nodeOf('a', { labels: { [ZONE]: 'x' } }),
      nodeOf('b', { labels: { 'failure-domain.beta.kubernetes.io/zone': 'y' } }),
      nodeOf('c'),
    ],
    objects: {
      persistentVolumeClaim: () => claim,
      persistentVolume: () => ({ metadata: { name: 'pv', labels }, spec: {} }) as unknown as PersistentVolume,
    },
  }).reasons(pod)

it('keeps a pod in the zone of its volume, by the new or the old label, and off no node that has none', () => {
  expect(reasons({ [ZONE]: 'x' })).toEqual({ a: '', b: CONFLICT, c: '' })
  expect(reasons({ [ZONE]: 'y' })).toEqual({ a: CONFLICT, b: '', c: '' })
})

it('knows volumes that are in several zones', () => {
  expect(reasons({ [ZONE]: 'x__y' })).toEqual({ a: '', b: '', c: '' })
})

it('lets a volume without zone be anywhere', () => {
  expect(reasons({ app: 'db' })).toEqual({ a: '', b: '', c: '' })
})
