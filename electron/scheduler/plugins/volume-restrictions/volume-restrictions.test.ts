import { describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim, Volume } from '../../../api/core/v1/types.gen.ts'
import { PodInfo } from '../../snapshot/pod-info.ts'
import { NAMESPACE, nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { volumeRestrictions } from './volume-restrictions.ts'

const POD_CONFLICT = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'
const DISK_CONFLICT = 'node(s) had no available disk'
const withVolume = (name: string, volume: Omit<Volume, 'name'>, on?: string) =>
  podOf(name, { spec: { volumes: [{ name: 'data', ...volume }] }, ...(on ? { on } : {}) })
const claim = { persistentVolumeClaim: { claimName: 'data' } }
const worldOf = (mode: string, pods: ReturnType<typeof podOf>[]) =>
  pluginWorld([volumeRestrictions], {
    nodes: [nodeOf('a'), nodeOf('b')],
    pods: pods.map((pod) => ({ ...pod, metadata: { ...pod.metadata, namespace: NAMESPACE } })),
    objects: {
      persistentVolumeClaim: (_namespace, name) =>
        name === 'data' ? ({ metadata: { name }, spec: { accessModes: [mode] } } as unknown as PersistentVolumeClaim) : undefined,
    },
  })

describe('VolumeRestrictions', () => {
  it('lets a claim for one pod be used by one, wherever it is', () => {
    const user = withVolume('user', claim, 'a')
    const world = worldOf('ReadWriteOncePod', [user])
    expect(world.reasons(withVolume('web', claim))).toEqual({ a: POD_CONFLICT, b: POD_CONFLICT })
    expect(worldOf('ReadWriteOnce', [user]).reasons(withVolume('web', claim))).toEqual({ a: '', b: '' })
  })

  it('knows that the claim is free once the other pod is thought away', () => {
    const user = withVolume('user', claim, 'a')
    const { framework, snapshot } = worldOf('ReadWriteOncePod', [user])
    const pod = new PodInfo(withVolume('web', claim))
    const attempt = framework.begin(snapshot)
    framework.preFilter(attempt, pod)
    const node = snapshot.node('b')
    if (!node) throw new Error('no node')
    const fork = attempt.fork()
    framework.removePod(fork, pod, new PodInfo(user), node)
    expect(framework.filterWithNominated(fork, pod, node)).toBeNull()
    expect(framework.filterWithNominated(attempt, pod, node)?.reasons).toEqual([POD_CONFLICT])
  })

  it('waits for a claim that is not there', () => {
    const web = withVolume('web', { persistentVolumeClaim: { claimName: 'none' } })
    expect(worldOf('ReadWriteOnce', []).reasons(web)).toEqual({
      a: 'persistentvolumeclaim "none" not found',
      b: 'persistentvolumeclaim "none" not found',
    })
  })

  const TARGET = { iscsi: { iqn: 'q', lun: 0, targetPortal: 'p' } } as Omit<Volume, 'name'>
  const rbd = (...monitors: string[]) => ({ rbd: { monitors, image: 'i' } }) as unknown as Omit<Volume, 'name'>
  const disk = (pdName: string, readOnly = false) => ({ gcePersistentDisk: { pdName, readOnly } })
  it.each<[what: string, first: Omit<Volume, 'name'>, second: Omit<Volume, 'name'>, reason: string]>([
    ['the same disk', disk('d'), disk('d'), DISK_CONFLICT],
    ['another disk', disk('d'), disk('e'), ''],
    ['a disk that both read', disk('d', true), disk('d', true), ''],
    ['a disk that one writes', disk('d', true), disk('d'), DISK_CONFLICT],
    ['an EBS volume', { awsElasticBlockStore: { volumeID: 'v' } }, { awsElasticBlockStore: { volumeID: 'v' } }, DISK_CONFLICT],
    ['a target of iSCSI', TARGET, TARGET, DISK_CONFLICT],
    ['an image of RBD', rbd('m', 'n'), rbd('n'), DISK_CONFLICT],
  ])('lets pods of a node have %s or not', (_what, first, second, reason) => {
    expect(worldOf('ReadWriteOnce', [withVolume('one', first, 'a')]).reasons(withVolume('two', second))).toEqual({ a: reason, b: '' })
  })

  it('hears of a pod that leaves, if it used the same volume', () => {
    const world = worldOf('ReadWriteOncePod', [])
    const event = { resource: 'AssignedPod', action: 2 } as const
    expect(world.hint(withVolume('web', claim), event, withVolume('user', claim), undefined)).toBe('Queue')
    expect(world.hint(withVolume('web', claim), event, withVolume('user', { emptyDir: {} }), undefined)).toBe('Skip')
  })
})
